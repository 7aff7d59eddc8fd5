package io.urunner.agent.app.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** Collects the body of a request as it arrives: the announced number of bytes, or chunks (RFC 9112, 7.1). */
final class BodyReader {
    /** Limits of the size line of a chunk, and of the trailers. */
    private static final int LONGEST_LINE = 256;

    private static final int MOST_TRAILERS = 16;

    private final int most;
    private final boolean chunked;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final StringBuilder line = new StringBuilder();
    private Part part;
    /** Of the body, or of the chunk. */
    private long left;

    private int trailers;

    private enum Part {
        SIZE,
        DATA,
        END_OF_DATA,
        TRAILER
    }

    /** {@code announced} bytes, or chunks if that is negative, {@code most} bytes in all. */
    BodyReader(long announced, int most) throws MalformedRequestException {
        this.most = most;
        chunked = announced < 0;
        part = chunked ? Part.SIZE : Part.DATA;
        left = Math.max(0, announced);
        checkLength();
    }

    private void checkLength() throws MalformedRequestException {
        if (left > most - bytes.size()) {
            throw new MalformedRequestException(413, "the body is longer than " + most + " bytes");
        }
    }

    /** Takes the next bytes; returns whether the body is complete. */
    boolean take(ByteBuffer came) throws MalformedRequestException {
        while (true) {
            if (part == Part.DATA) {
                int length = (int) Math.min(left, came.remaining());
                bytes.write(came.array(), came.arrayOffset() + came.position(), length);
                came.position(came.position() + length);
                left -= length;
                if (left > 0) {
                    return false;
                }
                if (!chunked) {
                    return true;
                }
                part = Part.END_OF_DATA;
            }
            if (!came.hasRemaining()) {
                return false;
            }
            if (readLine(came) && lineEnded()) {
                return true;
            }
        }
    }

    byte[] body() {
        return bytes.toByteArray();
    }

    private boolean readLine(ByteBuffer came) throws MalformedRequestException {
        while (came.hasRemaining()) {
            char next = (char) (came.get() & 0xff);
            boolean afterReturn = line.length() > 0 && line.charAt(line.length() - 1) == '\r';
            if (afterReturn != (next == '\n') || line.length() > LONGEST_LINE) {
                throw new MalformedRequestException("not a chunk");
            }
            if (next == '\n') {
                line.setLength(line.length() - 1);
                return true;
            }
            line.append(next);
        }
        return false;
    }

    /** Returns whether that was the last line. */
    private boolean lineEnded() throws MalformedRequestException {
        String text = line.toString();
        line.setLength(0);
        if (part == Part.SIZE) {
            left = size(text);
            checkLength();
            part = left == 0 ? Part.TRAILER : Part.DATA;
        } else if (part == Part.END_OF_DATA) {
            if (!text.isEmpty()) {
                throw new MalformedRequestException("a chunk is longer than its size");
            }
            part = Part.SIZE;
        } else if (text.isEmpty()) {
            return true;
        } else if (++trailers > MOST_TRAILERS) {
            throw new MalformedRequestException("more than " + MOST_TRAILERS + " fields after the body");
        }
        return false;
    }

    private static long size(String line) throws MalformedRequestException {
        String digits = line.replaceFirst("[ \t]*;.*", "");
        // Eight digits fit an integer, and exceed any limit here.
        if (!digits.matches("[0-9a-fA-F]{1,8}")) {
            throw new MalformedRequestException("not the size of a chunk");
        }
        return Long.parseLong(digits, 16);
    }
}
