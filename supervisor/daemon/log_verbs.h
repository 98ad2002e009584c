// What gwctl says about log files.
#ifndef GW_SUPERVISOR_LOG_VERBS_H
#define GW_SUPERVISOR_LOG_VERBS_H

#include "request.h"

// Empties the logs of the selected apps; old files stay.
void log_verbs_flush(const struct request *request);

// Opens every log anew: for who has renamed them.
void log_verbs_reopen(const struct request *request);

#endif
