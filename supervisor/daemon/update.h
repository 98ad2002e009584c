// `gwctl update`: another supervisor, of the programs that are on disk now, takes over.
//
// First each program has to say its version: one that cannot even be executed changes nothing. Then
// the keeper ends this supervisor, as a kill -9 would, and starts the new one; what that one finds
// is what a kill -9 leaves (snapshot.h). A new one that dies young is replaced by the old program
// (supervisor/keeper).
#ifndef GW_SUPERVISOR_UPDATE_H
#define GW_SUPERVISOR_UPDATE_H

struct request;

// The handler of the command. Refused while another command is under way, for its caller would not
// hear how it ended.
void update_begin(const struct request *request);

#endif
