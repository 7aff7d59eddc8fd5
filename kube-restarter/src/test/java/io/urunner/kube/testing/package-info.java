/** Real API servers and clusters for tests, of this module and of others. */
package io.urunner.kube.testing;
