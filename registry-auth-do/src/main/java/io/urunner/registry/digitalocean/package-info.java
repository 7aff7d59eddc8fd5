/** Credentials for the DigitalOcean container registry. */
@NullMarked
package io.urunner.registry.digitalocean;

import org.jspecify.annotations.NullMarked;
