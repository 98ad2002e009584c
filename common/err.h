// An error is a sentence for a person. Whoever notices it writes it; each level above may put its
// own subject before it ("route /api: ..."); the level that handles it logs it once.
#ifndef GW_COMMON_ERR_H
#define GW_COMMON_ERR_H

// The result must be looked at: forgetting it does not compile.
#define GW_MUST_USE __attribute__((warn_unused_result))
#define GW_PRINTF(text_at, args_at) __attribute__((format(printf, text_at, args_at)))

enum { ERR_SIZE = 512 };

// Callers own it, mostly on the stack; only valid after a call returned -1. Longer texts are cut.
struct err {
    char text[ERR_SIZE];
};

// Writes the sentence. Returns -1, so that `return err_set(err, ...)` reads well. err may be NULL.
int err_set(struct err *err, const char *format, ...) GW_PRINTF(2, 3);

// As err_set, followed by ": " and strerror of the errno at the call.
int err_set_errno(struct err *err, const char *format, ...) GW_PRINTF(2, 3);

// Puts a subject before the sentence that is there: "<subject>: <sentence>". Returns -1.
int err_prefix(struct err *err, const char *format, ...) GW_PRINTF(2, 3);

#endif
