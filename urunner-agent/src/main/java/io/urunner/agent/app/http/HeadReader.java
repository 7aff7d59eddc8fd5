package io.urunner.agent.app.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Collects the head of a request as it arrives. Invalid input is refused as soon as it is seen. */
final class HeadReader {
    private static final int LONGEST = 16 * 1024;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    private boolean afterReturn;
    private boolean emptyLine = true;

    /**
     * Takes the next bytes, up to the end of the head.
     *
     * @return the request; null while its head has not ended
     */
    @org.jspecify.annotations.Nullable HttpRequest take(ByteBuffer came) throws MalformedRequestException {
        while (came.hasRemaining()) {
            byte next = came.get();
            if (afterReturn != (next == '\n')) {
                throw new MalformedRequestException("a line ends with CR and LF, and contains neither elsewhere");
            }
            if ((next >= 0 && next < ' ' && next != '\r' && next != '\n' && next != '\t') || next == 0x7f) {
                throw new MalformedRequestException("a control character");
            }
            if (bytes.size() == LONGEST) {
                throw new MalformedRequestException("the head is longer than " + LONGEST + " bytes");
            }
            bytes.write(next);
            afterReturn = next == '\r';
            if (next == '\n') {
                if (emptyLine) {
                    return HttpRequest.parse(bytes.toString(StandardCharsets.ISO_8859_1));
                }
                emptyLine = true;
            } else if (next != '\r') {
                emptyLine = false;
            }
        }
        return null;
    }
}
