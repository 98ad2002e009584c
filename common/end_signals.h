// The signals on which our programs end.
#ifndef GW_COMMON_END_SIGNALS_H
#define GW_COMMON_END_SIGNALS_H

// From here on SIGTERM and SIGINT change nothing: for a process that ends already and is about to
// take its handlers away, so that one more does not have its default effect.
void end_signals_block(void);

#endif
