/** The library on its own, as others embed it. */
package io.urunner.kube.examples;
