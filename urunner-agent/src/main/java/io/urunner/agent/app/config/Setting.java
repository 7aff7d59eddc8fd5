package io.urunner.agent.app.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Describes a setting, for the binder, {@code urunner config} and the table in docs/settings.md. The key in the file is the component's name.
 */
@Target(ElementType.RECORD_COMPONENT)
@Retention(RetentionPolicy.RUNTIME)
@interface Setting {
    /** The environment variable; empty if there is none. */
    String variable() default "";

    /** The default; empty if there is none. */
    String fallback() default "";

    /** Its meaning, in one line of Markdown. */
    String meaning();
}
