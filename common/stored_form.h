// The form in which the gateway's answers lie in the cache: written and checked by
// gateway/stored.c, shown by `gwctl cache get`. A key of the gateway may hold anything that a
// client of the cache put there, so a reader checks every length.
//
// All numbers little endian. A blob begins with one byte for its kind and one for the version.
//
//    0  kind, version        1 byte each
//    2  status               2 bytes
//    4  initial age, s       4
//    8  stored at, ms        8
//   16  ttl, ms              8
//   24  number of fields     2
//   26  length of reason     2
//   28  length of fields     4
//   32  length of body       4
//   36  reason, fields, body
//
// A field is the lengths of name and value (2 bytes each), the name, the value. The marks have the
// kind, the version, 2 bytes of their own (number of names, reason), at 4 the nonce of vary (4
// bytes), at 8 the time; the names of vary follow at 16, a length (2 bytes) and the name each.
#ifndef GW_COMMON_STORED_FORM_H
#define GW_COMMON_STORED_FORM_H

#include "common/layout.h"

// Before the hash of a key: a mark that it was purged, and when.
#define STORED_PURGED_PREFIX "purged:"

enum {
    STORED_VERSION = LAYOUT_VERSION(2),
    STORED_KIND_ANSWER = 'A',
    STORED_KIND_VARY = 'V', // names of request fields: each variant has a key of its own
    STORED_KIND_PASS = 'P', // an answer could not be stored lately

    STORED_AT_STATUS = 2,
    STORED_AT_AGE = 4,
    STORED_AT_TIME = 8,
    STORED_AT_TTL = 16,
    STORED_AT_FIELD_COUNT = 24,
    STORED_AT_REASON_LENGTH = 26,
    STORED_AT_FIELDS_LENGTH = 28,
    STORED_AT_BODY_LENGTH = 32,
    STORED_ANSWER_HEAD = 36,

    STORED_AT_MARK = 2, // the marks' own 2 bytes
    STORED_AT_NONCE = 4,
    STORED_MARK_HEAD = 16,

    STORED_FIELD_LENGTHS = 4, // of its name and its value
};

#endif
