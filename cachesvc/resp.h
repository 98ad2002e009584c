// Requests of the Redis protocol (RESP2), as their bytes arrive: arrays of bulk strings, and lines
// of words that a person types ("inline" commands).
//
// The parser owns no input. The caller keeps all bytes from `consumed` on and shows them again with
// those that came meanwhile; where they lie may change between calls. However the input is cut, the
// commands and the error are the same, and no byte is looked at more than a few times.
//
//     for (;;) {
//         result = resp_parse(&parser, data, length);
//         if (result == RESP_COMMAND)
//             execute(parser.args, parser.arg_count);
//         data += parser.consumed, length -= parser.consumed;
//         resp_next(&parser);
//         if (result != RESP_COMMAND)
//             break;
//     }
#ifndef GW_CACHESVC_RESP_H
#define GW_CACHESVC_RESP_H

#include <stddef.h>

struct resp_limits {
    size_t args;       // of one command
    size_t bulk_bytes; // one argument of an array
    size_t line_bytes; // an inline command, or the line of a length; with '\r'; at least 16
};

// Those of Redis.
#define RESP_LIMITS_DEFAULT                                                                        \
    {                                                                                              \
        .args = 1024 * 1024, .bulk_bytes = (size_t)512 << 20, .line_bytes = 64 << 10               \
    }

struct resp_arg {
    union {
        char *bytes;
        size_t offset; // the parser's, while the command is not whole
    };
    size_t length;
};

enum resp_result {
    RESP_MORE,    // no whole command yet
    RESP_COMMAND, // args are set, at least one
    RESP_ERROR,   // error is set; there is no way on in this input
};

enum resp_state {
    RESP_AT_START,
    RESP_AT_LINE,        // within an inline command
    RESP_AT_COUNT,       // within the line that starts with '*'
    RESP_AT_BULK_LENGTH, // within the line that starts with '$'
    RESP_AT_BULK,
    RESP_AT_END, // the command was returned
    RESP_AT_ERROR,
};

// Public to be embedded. Callers may set `limits`, and read what stands above `state`.
struct resp_parser {
    struct resp_limits limits;
    struct resp_arg *args; // of the command, into the input: valid until that changes
    size_t arg_count;
    size_t consumed;   // bytes of the input that are done with, see resp_next
    const char *error; // without "ERR ", printable as far as the client's byte in it is

    enum resp_state state;
    size_t arg_capacity;
    size_t args_expected;
    size_t position;    // from the start of the command: what is to be parsed next
    size_t scanned;     // bytes from there on that do not end the line
    size_t bulk_length; // of the argument at `position`
    size_t bulk_missing;
    char error_text[40];
};

void resp_init(struct resp_parser *parser);
void resp_fini(struct resp_parser *parser);

// data[0, length) is all input from where the last resp_next left it. Words of an inline command
// are decoded in place, which changes the bytes below `consumed`. Also after RESP_MORE `consumed`
// may be greater than 0: empty commands are passed over.
enum resp_result resp_parse(struct resp_parser *parser, char *data, size_t length);

// The caller has dropped `consumed` bytes from the front of the input. Needed after RESP_COMMAND,
// allowed after RESP_MORE, without effect after RESP_ERROR. The args end here.
void resp_next(struct resp_parser *parser);

// How many bytes, at least, the argument under way needs that the last resp_parse did not see; 0
// when none is under way.
size_t resp_wanted(const struct resp_parser *parser);

#endif
