package io.urunner.agent.app.config;

import java.nio.file.Path;

/** Where a value comes from; messages about the value start with it. Immutable. */
public sealed interface Origin {
    /** The value is a default. */
    Origin DEFAULT = new Default();

    /** The built-in default. */
    record Default() implements Origin {
        @Override
        public String toString() {
            return "default";
        }
    }

    /**
     * An environment variable.
     *
     * @param name its name
     */
    record Variable(String name) implements Origin {
        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * A line of the configuration file.
     *
     * @param file the file
     * @param line the line, counted from 1
     */
    record FileLine(Path file, int line) implements Origin {
        @Override
        public String toString() {
            return file + ":" + line;
        }
    }

    /**
     * A flag of the command line.
     *
     * @param flag the flag as it was given, without its value
     */
    record Flag(String flag) implements Origin {
        @Override
        public String toString() {
            return flag;
        }
    }
}
