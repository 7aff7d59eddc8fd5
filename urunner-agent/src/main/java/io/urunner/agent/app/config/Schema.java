package io.urunner.agent.app.config;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The settings of a record class and of the records in it, as a flat list. */
final class Schema {
    /**
     * A setting.
     *
     * @param path its keys
     * @param component the record component that holds it
     * @param setting its annotation
     */
    record Entry(List<String> path, RecordComponent component, Setting setting) {
        String key() {
            return String.join(".", path);
        }
    }

    private Schema() {}

    /** The settings, in the order of the components, without those of records in lists. */
    static List<Entry> of(Class<? extends Record> type) {
        List<Entry> entries = new ArrayList<>();
        collect(type, List.of(), entries);
        return List.copyOf(entries);
    }

    private static void collect(Class<?> type, List<String> path, List<Entry> entries) {
        for (RecordComponent component : type.getRecordComponents()) {
            List<String> here =
                    Stream.concat(path.stream(), Stream.of(component.getName())).toList();
            Setting setting = component.getAnnotation(Setting.class);
            if (setting != null) {
                entries.add(new Entry(here, component, setting));
            } else if (component.getType().isRecord()) {
                collect(component.getType(), here, entries);
            }
        }
    }
}
