/** Credentials for Amazon ECR and ECR Public. */
@NullMarked
package io.urunner.registry.ecr;

import org.jspecify.annotations.NullMarked;
