// The keeper's log lines, in the form that all programs of gwctl write.
#ifndef GW_KEEPER_NOTE_H
#define GW_KEEPER_NOTE_H

// To stderr, with one write: "2026-01-02T03:04:05.678Z warn gw-keeper[42]: ...".
void note(const char *level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
