// Requests, whole and in pieces. The rows were sent to redis-server 7.0 too, which says the same
// but where a row notes it.
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/buf.h"
#include "resp.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define BAD_COUNT "!Protocol error: invalid multibulk length"
#define BAD_LENGTH "!Protocol error: invalid bulk length"
#define NO_BULK(got) "!Protocol error: expected '$', got '" got "'"
#define UNBALANCED "!Protocol error: unbalanced quotes in request"
#define LONG_LINE "!Protocol error: too big inline request"
#define LONG_COUNT "!Protocol error: too big mbulk count string"
#define LONG_LENGTH "!Protocol error: too big bulk count string"

// Commands as <word,word>, bytes that do not print as ~HH, an error as !text.
static const struct row {
    const char *input;
    size_t length;
    const char *output;
} rows[] = {
    {BYTES(""), ""},
    // arrays
    {BYTES("*1\r\n$4\r\nPING\r\n"), "<PING>"},
    {BYTES("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\n0123456789ab\r\n"), "<SET,k,0123456789ab>"},
    {BYTES("*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n*1\r\n"), "<PING><ECHO,x>"},
    {BYTES("*2\r\n$0\r\n\r\n$6\r\n\0\r\n$\xff*\r\n"), "<,~00~0D~0A$~FF*>"},
    {BYTES("*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n"), "<PING><PING>"},
    {BYTES("*1\rX$4\rYPING\r\n"), "<PING>"},
    {BYTES("*2\r\n$4\r\nECHO\r\n$5\r\nabc"), ""},
    {BYTES("*1048576\r\n"), ""},
    {BYTES("*0\r\n*1\r\n$4\r\nPING\r\n"), "<PING>"},
    {BYTES("*-1\r\n*-9223372036854775808\r\nPING\r\n*0\r\n"), "<PING>"},
    // the count
    {BYTES("*\r\n"), BAD_COUNT},
    {BYTES("*a\r\n"), BAD_COUNT},
    {BYTES("*1a\r\n"), BAD_COUNT},
    {BYTES("*01\r\n"), BAD_COUNT},
    {BYTES("*00\r\n"), BAD_COUNT},
    {BYTES("*-0\r\n"), BAD_COUNT},
    {BYTES("*-\r\n"), BAD_COUNT},
    {BYTES("*--1\r\n"), BAD_COUNT},
    {BYTES("*+1\r\n"), BAD_COUNT},
    {BYTES("* 1\r\n"), BAD_COUNT},
    {BYTES("*1 \r\n"), BAD_COUNT},
    {BYTES("*-9223372036854775809\r\n"), BAD_COUNT},
    {BYTES("*9223372036854775808\r\n"), BAD_COUNT},
    {BYTES("*18446744073709551617\r\n"), BAD_COUNT},
    {BYTES("*100000000000000000000\r\n"), BAD_COUNT},
    {BYTES("*2147483648\r\n"), BAD_COUNT},
    {BYTES("*1048577\r\n"), BAD_COUNT}, // Redis 7: from 2147483648 on
    {BYTES("*1\n$4\nPING\n\r\n"), BAD_COUNT},
    {BYTES("*1\0\r\n"), BAD_COUNT}, // Redis waits for more
    {BYTES("*1\r\n$4\r\nPING\r\n*x\r\nPING\r\n"), "<PING>" BAD_COUNT},
    // lengths
    {BYTES("*1\r\nPING\r\n"), NO_BULK("P")},
    {BYTES("*1\r\nPING"), ""},
    {BYTES("*1\r\n:4\r\n"), NO_BULK(":")},
    {BYTES("*1\r\n*1\r\n"), NO_BULK("*")},
    {BYTES("*1\r\n\r\n"), NO_BULK(" ")},
    {BYTES("*1\r\n\n\r\n"), NO_BULK(" ")},
    {BYTES("*1\r\n\xff\r\n"), NO_BULK("~FF")},
    {BYTES("*1\r\n\0\r\n"), NO_BULK(" ")}, // Redis waits for more
    {BYTES("*2\r\n$4\r\nECHO\r\n+1\r\n"), NO_BULK("+")},
    {BYTES("*1\r\n$\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$-\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$-1\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$-0\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$04\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$+4\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$ 4\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$4 \r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$536870912\r\n"), ""},
    {BYTES("*1\r\n$536870913\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$99999999999999999999\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$18446744073709551620\r\n"), BAD_LENGTH},
    {BYTES("*2\r\n$4\r\nECHO\r\n$-1\r\n"), BAD_LENGTH},
    // inline
    {BYTES("PING\r\n"), "<PING>"},
    {BYTES("PING\nECHO a\r\n"), "<PING><ECHO,a>"},
    {BYTES("\r\n\n  \r\n\r\rPING\r\n\r\n"), "<PING>"},
    {BYTES(" \tSET  k\tv \r\n"), "<SET,k,v>"},
    {BYTES("PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n"), "<PING><PING><PING>"},
    {BYTES(" *1\r\n$4\r\nPING\r\n"), "<*1><$4><PING>"},
    {BYTES("a\rb\r\r\n"), "<a,b>"},
    {BYTES("\va\vb \fc\r\n"), "<a~0Bb,c>"},
    {BYTES("\xa0"
           "a\r\n"),
     "<~A0a>"},
    {BYTES("a\\ b\\n\r\n"), "<a\\,b\\n>"},
    {BYTES("a \0b c\n"), "<a,~00b,c>"}, // Redis waits for more
    // quotes
    {BYTES("\"PING\" \"a b\" 'c d'\r\n"), "<PING,a b,c d>"},
    {BYTES("\"\" ''\r\n"), "<,>"},
    {BYTES("a\"b c\" d'e f'\r\n"), "<ab c,de f>"},
    {BYTES("\"\\x41\\xfF\\n\\r\\t\\b\\a\\q\\\"\\\\\"\r\n"), "<A~FF~0A~0D~09~08~07q\"\\>"},
    {BYTES("\"\\x4g\\x4\" \"\\x\"\r\n"), "<x4gx4,x>"},
    {BYTES("'a\\'b\\n\"'\r\n"), "<a'b\\n\">"},
    {BYTES("\"a\rb'\"\r\n"), "<a~0Db'>"},
    {BYTES("\"a\"\rb\r\n"), "<a,b>"},
    {BYTES("\"a\"\vb\r\n"), "<a,b>"},
    {BYTES("'a' \"b\"\n"), "<a,b>"},
    {BYTES("PING \"a\r\n"), UNBALANCED},
    {BYTES("PING 'a\r\n"), UNBALANCED},
    {BYTES("PING \"a\"b\r\n"), UNBALANCED},
    {BYTES("PING 'a'b\r\n"), UNBALANCED},
    {BYTES("PING 'a'\"b\"\r\n"), UNBALANCED},
    {BYTES("PING \"a\\\r\n"), UNBALANCED},
    {BYTES("PING \"a\\\"\r\n"), UNBALANCED},
    {BYTES("PING 'a\\\\'b'\r\n"), "<PING,a\\'b>"},
    {BYTES("PING 'a\\'\r\n"), UNBALANCED},
    {BYTES("\"\n"), UNBALANCED},
    {BYTES("PING\r\nPING \"\r\nPING\r\n"), "<PING>" UNBALANCED},
};

static void show_bytes(struct buf *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; ++i)
        if (bytes[i] >= ' ' && bytes[i] < 0x7f)
            buf_append(out, &bytes[i], 1);
        else
            buf_printf(out, "~%02X", (unsigned char)bytes[i]);
}

static void show_command(struct buf *out, const struct resp_parser *parser)
{
    for (size_t i = 0; i < parser->arg_count; ++i) {
        buf_append_text(out, i == 0 ? "<" : ",");
        show_bytes(out, parser->args[i].bytes, parser->args[i].length);
    }
    buf_append_text(out, ">");
}

// Parses what is there, as a server would, in memory of exactly that size at a new place.
static enum resp_result parse_all(struct resp_parser *parser, struct buf *input, struct buf *out)
{
    char *copy = malloc(input->length + 1);
    char *data = copy + 1; // malloc(0) may be NULL
    size_t length = input->length;
    enum resp_result result;
    if (length > 0)
        memcpy(data, input->data, length);
    do {
        result = resp_parse(parser, data, length);
        if (result == RESP_COMMAND)
            show_command(out, parser);
        data += parser->consumed;
        length -= parser->consumed;
        resp_next(parser);
    } while (result == RESP_COMMAND);
    buf_consume(input, input->length - length);
    free(copy);
    return result;
}

// Feeds the parser up to first_cut, then in pieces of `piece`.
static void check_cut(struct resp_limits limits, const struct row *row, size_t first_cut,
                      size_t piece)
{
    struct buf input = BUF_INIT, out = BUF_INIT;
    struct resp_parser parser;
    enum resp_result result = RESP_MORE;
    resp_init(&parser);
    parser.limits = limits;
    for (size_t at = 0; at <= row->length && result == RESP_MORE;) {
        size_t end = at == 0 && first_cut > 0 ? first_cut : at + piece;
        end = end < row->length ? end : row->length;
        buf_append(&input, row->input + at, end - at);
        result = parse_all(&parser, &input, &out);
        at = end < row->length ? end : end + 1;
    }
    if (result == RESP_ERROR) {
        ck_assert_int_eq(parse_all(&parser, &input, &out), RESP_ERROR);
        buf_append_text(&out, "!");
        show_bytes(&out, parser.error, strlen(parser.error));
    }
    ck_assert_msg(strcmp(buf_text(&out), row->output) == 0, "%.40s: cut at %zu, then each %zu: %s",
                  row->input, first_cut, piece, buf_text(&out));
    buf_free(&input);
    buf_free(&out);
    resp_fini(&parser);
}

static void check_cuts(struct resp_limits limits, const struct row *row)
{
    for (size_t cut = 0; cut <= row->length; ++cut)
        check_cut(limits, row, cut, row->length + 1);
    check_cut(limits, row, 0, 1);
}

START_TEST(any_cut)
{
    check_cuts((struct resp_limits)RESP_LIMITS_DEFAULT, &rows[_i]);
}
END_TEST

// Up to 3 arguments of 5 bytes, lines of 16.
static const struct row limited_rows[] = {
    {BYTES("*3\r\n$1\r\na\r\n$1\r\nb\r\n$5\r\n12345\r\n"), "<a,b,12345>"},
    {BYTES("*4\r\n"), BAD_COUNT},
    {BYTES("*1\r\n$6\r\n"), BAD_LENGTH},
    {BYTES("a b c\r\n"), "<a,b,c>"},
    {BYTES("a b c d\r\n"), BAD_COUNT},
    {BYTES("abcdefghijklmno\r\n"), "<abcdefghijklmno>"},
    {BYTES("abcdefghijklmnop\n"), "<abcdefghijklmnop>"},
    {BYTES("abcdefghijklmnop\r\n"), LONG_LINE},
    {BYTES("abcdefghijklmnop"), ""},
    {BYTES("abcdefghijklmnopq"), LONG_LINE},
    {BYTES("a\r\nabcdefghijklmnopqr\r\n"), "<a>" LONG_LINE},
    {BYTES("*-12345678901234\r\na\n"), "<a>"},
    {BYTES("*-123456789012345\r\n"), LONG_COUNT},
    {BYTES("*123456789012345"), ""},
    {BYTES("*1234567890123456"), LONG_COUNT},
    {BYTES("*1\r\n$123456789012345\r\n"), BAD_LENGTH},
    {BYTES("*1\r\n$1234567890123456\r\n"), LONG_LENGTH},
    {BYTES("*1\r\nabcdefghijklmnopqr\r\n"), LONG_LENGTH},
};

START_TEST(any_cut_with_limits)
{
    check_cuts((struct resp_limits){.args = 3, .bulk_bytes = 5, .line_bytes = 16},
               &limited_rows[_i]);
}
END_TEST

// Of the default limits: a line with its '\r' may take 65536 bytes.
static void check_long_line(const char *head, size_t line_bytes, const char *output)
{
    static char input[70000];
    size_t head_length = strlen(head);
    size_t line = head[0] == '*' && head_length > 1 ? head_length - 1 : 0; // where it starts
    struct row row = {input, line + line_bytes + 1, output};
    memset(input, '1', sizeof input);
    memcpy(input, head, head_length);
    memcpy(input + row.length - 2, "\r\n", 2);
    struct resp_limits limits = RESP_LIMITS_DEFAULT;
    check_cut(limits, &row, 0, row.length + 1);
    check_cut(limits, &row, 0, 16384);
    check_cut(limits, &row, row.length - 1, 1);
    check_cut(limits, &row, row.length - 2, 1);
}

START_TEST(long_lines)
{
    check_long_line("\"", 65536, UNBALANCED);
    check_long_line("\"", 65537, LONG_LINE);
    check_long_line("*", 65537, BAD_COUNT);
    check_long_line("*", 65538, LONG_COUNT);
    check_long_line("*1\r\n$", 65537, BAD_LENGTH);
    check_long_line("*1\r\n$", 65538, LONG_LENGTH);
}
END_TEST

// The value lies in pages that nobody may read.
START_TEST(value_is_not_looked_at)
{
    static const char head[] = "*1\r\n$104857600\r\n";
    enum { VALUE = 104857600, PIECE = 16384 };
    // 65536 is a multiple of every machine's page size.
    size_t page = 65536, size = page + VALUE + page, head_length = strlen(head);
    char *pages = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(pages, page, PROT_READ | PROT_WRITE), 0);
    char *data = pages + page - head_length;
    memcpy(data, head, head_length);

    struct resp_parser parser;
    resp_init(&parser);
    ck_assert_uint_eq(resp_wanted(&parser), 0);
    for (size_t there = head_length; there < head_length + VALUE + 2; there += PIECE) {
        ck_assert_int_eq(resp_parse(&parser, data, there), RESP_MORE);
        ck_assert_uint_eq(resp_wanted(&parser), head_length + VALUE + 2 - there);
    }
    ck_assert_int_eq(resp_parse(&parser, data, head_length + VALUE + 2), RESP_COMMAND);
    ck_assert_uint_eq(resp_wanted(&parser), 0);
    ck_assert_uint_eq(parser.arg_count, 1);
    ck_assert_ptr_eq(parser.args[0].bytes, data + head_length);
    ck_assert_uint_eq(parser.args[0].length, VALUE);
    ck_assert_uint_eq(parser.consumed, head_length + VALUE + 2);
    resp_fini(&parser);
    munmap(pages, size);
}
END_TEST

static void append_command(struct buf *input, size_t args)
{
    buf_printf(input, "*%zu\r\n", args);
    for (size_t i = 0; i < args; ++i)
        buf_append_text(input, "$1\r\nx\r\n");
}

START_TEST(args_are_reused)
{
    static const size_t counts[] = {16, 3, 1, 16, 17, 1000, 20};
    struct buf input = BUF_INIT;
    struct resp_parser parser;
    resp_init(&parser);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); ++i)
        append_command(&input, counts[i]);
    const struct resp_arg *first = NULL;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); ++i) {
        ck_assert_int_eq(resp_parse(&parser, input.data, input.length), RESP_COMMAND);
        ck_assert_uint_eq(parser.arg_count, counts[i]);
        if (i == 0)
            first = parser.args;
        if (i < 4)
            ck_assert_ptr_eq(parser.args, first);
        buf_consume(&input, parser.consumed);
        resp_next(&parser);
    }
    ck_assert_uint_eq(parser.arg_capacity, 1024);
    buf_free(&input);
    resp_fini(&parser);
}
END_TEST

START_TEST(many_args_are_released)
{
    struct buf input = BUF_INIT;
    struct resp_parser parser;
    resp_init(&parser);
    append_command(&input, 100000);
    append_command(&input, 2);
    ck_assert_int_eq(resp_parse(&parser, input.data, input.length), RESP_COMMAND);
    ck_assert_uint_eq(parser.arg_count, 100000);
    ck_assert_mem_eq(parser.args[99999].bytes, "x\r\n*2", 5);
    buf_consume(&input, parser.consumed);
    resp_next(&parser);
    ck_assert_uint_eq(parser.arg_capacity, 0);
    ck_assert_int_eq(resp_parse(&parser, input.data, input.length), RESP_COMMAND);
    ck_assert_uint_eq(parser.arg_count, 2);
    buf_free(&input);
    resp_fini(&parser);
}
END_TEST

// Empty commands may be dropped while a command is under way, or be kept until its end.
START_TEST(empty_commands_are_consumed)
{
    char text[] = "\r\n*0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";
    size_t length = strlen(text);
    struct resp_parser parser;
    for (size_t cut = 6; cut <= length; ++cut)
        for (size_t drop = 0; drop < 2; ++drop) {
            char *data = text;
            resp_init(&parser);
            enum resp_result result = resp_parse(&parser, data, cut);
            ck_assert_int_eq(result, cut < length ? RESP_MORE : RESP_COMMAND);
            ck_assert_uint_eq(parser.consumed, cut < length ? 6 : length);
            if (drop && result == RESP_MORE) {
                data += parser.consumed;
                resp_next(&parser);
            }
            if (result == RESP_MORE)
                result = resp_parse(&parser, data, (size_t)(text + length - data));
            ck_assert_int_eq(result, RESP_COMMAND);
            ck_assert_ptr_eq(data + parser.consumed, text + length);
            ck_assert_ptr_eq(parser.args[0].bytes, text + 14);
            ck_assert_ptr_eq(parser.args[1].bytes, text + 21);
            resp_fini(&parser);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resp");
    TCase *tests = tcase_create("resp");
    tcase_add_loop_test(tests, any_cut, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_loop_test(tests, any_cut_with_limits, 0,
                        (int)(sizeof(limited_rows) / sizeof(limited_rows[0])));
    tcase_add_test(tests, long_lines);
    tcase_add_test(tests, value_is_not_looked_at);
    tcase_add_test(tests, args_are_reused);
    tcase_add_test(tests, many_args_are_released);
    tcase_add_test(tests, empty_commands_are_consumed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
