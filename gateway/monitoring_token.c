// Compares hashes, not tokens: the configuration, and whoever reads it, does not know the token.
#include "monitoring_token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "grammar.h"

// The token of the only Authorization field. Which one of several counts is nobody's guess.
static bool find_token(const struct field *fields, size_t count, struct span *token)
{
    static const struct span scheme = {"bearer", 6};
    const struct field *found = NULL;
    for (size_t i = 0; i < count; ++i) {
        if (!grammar_equal(fields[i].name, SPAN("authorization")))
            continue;
        if (found != NULL)
            return false;
        found = &fields[i];
    }
    if (found == NULL || found->value.length <= scheme.length ||
        found->value.bytes[scheme.length] != ' ' ||
        !grammar_equal((struct span){found->value.bytes, scheme.length}, scheme))
        return false;
    *token = grammar_trim(
        (struct span){found->value.bytes + scheme.length, found->value.length - scheme.length});
    return token->length > 0;
}

static bool read_hash(const char *hex, unsigned char hash[SHA256_DIGEST_LENGTH])
{
    if (strlen(hex) != SHA256_DIGEST_LENGTH * 2)
        return false;
    for (size_t i = 0; i < SHA256_DIGEST_LENGTH; ++i) {
        int high = grammar_hex(hex[2 * i]), low = grammar_hex(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        hash[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

bool monitoring_token_fits(const char *sha256, const struct field *fields, size_t count)
{
    unsigned char expected[SHA256_DIGEST_LENGTH], hash[SHA256_DIGEST_LENGTH];
    struct span token;
    if (!read_hash(sha256, expected) || !find_token(fields, count, &token))
        return false;
    SHA256((const unsigned char *)token.bytes, token.length, hash);
    return CRYPTO_memcmp(hash, expected, sizeof(hash)) == 0;
}
