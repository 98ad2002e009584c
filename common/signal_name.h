// Signals by their names, as files and commands have them.
#ifndef GW_COMMON_SIGNAL_NAME_H
#define GW_COMMON_SIGNAL_NAME_H

// The number of "SIGTERM" or "TERM"; 0: no signal is called that. Real-time signals have no names.
int signal_name_find(const char *name);

enum { SIGNAL_NAME_SIZE = 24 };

// "SIGTERM", or "signal 34" of one without a name.
void signal_name_format(int number, char out[SIGNAL_NAME_SIZE]);

#endif
