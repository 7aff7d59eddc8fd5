/** The library by itself, as others embed it. */
package io.urunner.kube.examples;
