package io.urunner.agent.app.config;

import io.urunner.registry.auth.SecretSource;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A component of a record of settings, with the type of what it holds: for an {@code Optional} or a {@code List} that of
 * the content. Immutable.
 */
record Slot(RecordComponent component, Class<?> type) {
    static List<Slot> of(Class<?> record) {
        return Stream.of(record.getRecordComponents()).map(Slot::of).toList();
    }

    static Slot of(RecordComponent component) {
        Class<?> type = component.getType();
        if (type != Optional.class && type != List.class) {
            return new Slot(component, type);
        }
        return new Slot(
                component,
                component.getGenericType() instanceof ParameterizedType generic
                                && generic.getActualTypeArguments()[0] instanceof Class<?> content
                        ? content
                        : Object.class);
    }

    String name() {
        return component.getName();
    }

    boolean isOptional() {
        return component.getType() == Optional.class;
    }

    boolean isList() {
        return component.getType() == List.class;
    }

    boolean isSecret() {
        return type == SecretSource.class;
    }

    /** Some records are parsed from a single text; this one has components that are settings of their own. */
    boolean isNested() {
        return type.isRecord() && !Texts.canRead(type);
    }

    boolean isReadable() {
        return isSecret() || Texts.canRead(type);
    }

    /** The value where none is given; empty if there is none. */
    String fallback() {
        Setting setting = component.getAnnotation(Setting.class);
        return setting == null ? "" : setting.fallback();
    }
}
