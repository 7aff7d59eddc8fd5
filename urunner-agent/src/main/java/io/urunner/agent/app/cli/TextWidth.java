package io.urunner.agent.app.cli;

import java.util.ArrayList;
import java.util.List;

/** How many columns of a terminal texts take: some characters take two, marks none. */
final class TextWidth {
    /** First and last of the characters that terminals show in two columns (Unicode's East Asian Width W and F). */
    private static final int[][] WIDE = {
        {0x1100, 0x115F},
        {0x231A, 0x231B},
        {0x23E9, 0x23EC},
        {0x23F0, 0x23F0},
        {0x23F3, 0x23F3},
        {0x25FD, 0x25FE},
        {0x2614, 0x2615},
        {0x2648, 0x2653},
        {0x267F, 0x267F},
        {0x2693, 0x2693},
        {0x26A1, 0x26A1},
        {0x26AA, 0x26AB},
        {0x26BD, 0x26BE},
        {0x26C4, 0x26C5},
        {0x26CE, 0x26CE},
        {0x26D4, 0x26D4},
        {0x26EA, 0x26EA},
        {0x26F2, 0x26F3},
        {0x26F5, 0x26F5},
        {0x26FA, 0x26FA},
        {0x26FD, 0x26FD},
        {0x2705, 0x2705},
        {0x270A, 0x270B},
        {0x2728, 0x2728},
        {0x274C, 0x274C},
        {0x274E, 0x274E},
        {0x2753, 0x2755},
        {0x2757, 0x2757},
        {0x2795, 0x2797},
        {0x27B0, 0x27B0},
        {0x27BF, 0x27BF},
        {0x2B1B, 0x2B1C},
        {0x2B50, 0x2B50},
        {0x2B55, 0x2B55},
        {0x2E80, 0x303E},
        {0x3041, 0x33FF},
        {0x3400, 0x4DBF},
        {0x4E00, 0xA4CF},
        {0xA960, 0xA97C},
        {0xAC00, 0xD7A3},
        {0xF900, 0xFAFF},
        {0xFE10, 0xFE19},
        {0xFE30, 0xFE6F},
        {0xFF01, 0xFF60},
        {0xFFE0, 0xFFE6},
        {0x16FE0, 0x18CFF},
        {0x1AFF0, 0x1B2FF},
        {0x1F004, 0x1F004},
        {0x1F0CF, 0x1F0CF},
        {0x1F18E, 0x1F18E},
        {0x1F191, 0x1F19A},
        {0x1F200, 0x1F320},
        {0x1F32D, 0x1F335},
        {0x1F337, 0x1F37C},
        {0x1F37E, 0x1F393},
        {0x1F3A0, 0x1F3CA},
        {0x1F3CF, 0x1F3D3},
        {0x1F3E0, 0x1F3F0},
        {0x1F3F4, 0x1F3F4},
        {0x1F3F8, 0x1F43E},
        {0x1F440, 0x1F440},
        {0x1F442, 0x1F4FC},
        {0x1F4FF, 0x1F53D},
        {0x1F54B, 0x1F54E},
        {0x1F550, 0x1F567},
        {0x1F57A, 0x1F57A},
        {0x1F595, 0x1F596},
        {0x1F5A4, 0x1F5A4},
        {0x1F5FB, 0x1F64F},
        {0x1F680, 0x1F6C5},
        {0x1F6CC, 0x1F6CC},
        {0x1F6D0, 0x1F6D2},
        {0x1F6D5, 0x1F6D7},
        {0x1F6DC, 0x1F6DF},
        {0x1F6EB, 0x1F6EC},
        {0x1F6F4, 0x1F6FC},
        {0x1F7E0, 0x1F7EB},
        {0x1F7F0, 0x1F7F0},
        {0x1F90C, 0x1F93A},
        {0x1F93C, 0x1F945},
        {0x1F947, 0x1F9FF},
        {0x1FA70, 0x1FAFF},
        {0x20000, 0x3FFFD}
    };

    /** After one of these a word may be broken. */
    private static final String SEAMS = "/,:;@=-._";

    private static final String MORE = "…";

    private TextWidth() {}

    /** The columns that a line takes. */
    static int of(String line) {
        return line.codePoints().map(TextWidth::of).sum();
    }

    private static int of(int character) {
        if (character < 0x300) {
            return 1;
        }
        int type = Character.getType(character);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
            return 0;
        }
        int low = 0;
        int high = WIDE.length - 1;
        while (low <= high) {
            int middle = (low + high) / 2;
            if (character < WIDE[middle][0]) {
                high = middle - 1;
            } else if (character > WIDE[middle][1]) {
                low = middle + 1;
            } else {
                return 2;
            }
        }
        return 1;
    }

    /** A line in as many lines as it needs, but at most so many: the end of the last one shows that it was cut. */
    static List<String> wrap(String line, int width, int most) {
        List<String> lines = new ArrayList<>();
        int start = 0;
        while (start < line.length()) {
            if (lines.size() == most) {
                String last = lines.remove(most - 1);
                lines.add(last.substring(0, end(last, 0, width - of(MORE))) + MORE);
                return lines;
            }
            int end = end(line, start, width);
            int next = end;
            if (end < line.length()) {
                int space = line.lastIndexOf(' ', end);
                if (space > start) {
                    end = space;
                    next = space + 1;
                } else {
                    end = seam(line, start, end);
                    next = end;
                }
            }
            lines.add(line.substring(start, end).stripTrailing());
            start = next;
        }
        if (lines.isEmpty()) {
            lines.add("");
        }
        return lines;
    }

    /** Where what fits ends; at least one character does. */
    private static int end(String line, int start, int width) {
        int end = start;
        int taken = 0;
        while (end < line.length()) {
            int character = line.codePointAt(end);
            taken += of(character);
            if (taken > width && end > start) {
                break;
            }
            end += Character.charCount(character);
        }
        return end;
    }

    private static int seam(String line, int start, int end) {
        for (int i = end; i > start + (end - start) / 3; i--) {
            if (SEAMS.indexOf(line.charAt(i - 1)) >= 0) {
                return i;
            }
        }
        return end;
    }
}
