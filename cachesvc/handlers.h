// The handlers of the command table, and what they share.
#ifndef GW_CACHESVC_HANDLERS_H
#define GW_CACHESVC_HANDLERS_H

#include "commands.h"
#include "reply.h"

// --- arguments (args.c) ---

// Whether it is that word (given in lower case), in any case.
bool arg_is(const struct resp_arg *arg, const char *word);

// The whole number of an argument; false: the error is replied.
bool arg_integer(struct request *request, size_t index, int64_t *value);

enum expire_kind { EXPIRE_EX, EXPIRE_PX, EXPIRE_EXAT, EXPIRE_PXAT };

// When something expires that is to expire as this argument, which has to be positive, says; false:
// the error is replied.
bool arg_expiry(struct request *request, size_t index, enum expire_kind kind, uint64_t *expires_ms);

void reply_syntax_error(struct request *request);
void reply_wrong_count(struct request *request);

// --- values (values.c) ---

bool value_get(struct request *request, size_t index, struct store_value *value);  // counted
bool value_find(struct request *request, size_t index, struct store_value *value); // not counted
void value_reply(struct request *request, const struct store_value *value);

// The value's bytes in the service's scratch buffer, with room for `more` behind.
char *value_load(struct request *request, const struct store_value *value, size_t more);

// Sets the key args[index]; false: the error is replied.
bool value_set(struct request *request, size_t index, const struct resp_arg *bytes,
               uint64_t expires_ms);

// Puts other bytes (not in the segment) in the place of those found, with the same expiry and tags.
bool value_change(struct request *request, size_t index, const struct store_value *old,
                  const struct resp_arg *bytes);

// The general form of both.
bool value_store(struct request *request, const struct store_set *set);

// --- handlers ---

// cmd_string.c
void command_append(struct request *request);
void command_get(struct request *request);
void command_getdel(struct request *request);
void command_getex(struct request *request);
void command_getset(struct request *request);
void command_mget(struct request *request);
void command_mset(struct request *request);
void command_msetnx(struct request *request);
void command_psetex(struct request *request);
void command_set(struct request *request);
void command_setex(struct request *request);
void command_setnx(struct request *request);
void command_strlen(struct request *request);

// cmd_number.c
void command_decr(struct request *request);
void command_decrby(struct request *request);
void command_incr(struct request *request);
void command_incrby(struct request *request);
void command_incrbyfloat(struct request *request);

// cmd_key.c
void command_dbsize(struct request *request);
void command_del(struct request *request);
void command_exists(struct request *request);
void command_flush(struct request *request);
void command_keys(struct request *request);
void command_memory_usage(struct request *request);
void command_rename(struct request *request);
void command_renamenx(struct request *request);
void command_scan(struct request *request);
void command_touch(struct request *request);
void command_type(struct request *request);

// cmd_expire.c
void command_expire(struct request *request);
void command_expireat(struct request *request);
void command_expiretime(struct request *request);
void command_persist(struct request *request);
void command_pexpire(struct request *request);
void command_pexpireat(struct request *request);
void command_pexpiretime(struct request *request);
void command_pttl(struct request *request);
void command_ttl(struct request *request);

// cmd_server.c
void command_auth(struct request *request);
void command_config_get(struct request *request);
void command_config_resetstat(struct request *request);
void command_config_set(struct request *request);
void command_echo(struct request *request);
void command_hello(struct request *request);
void command_ping(struct request *request);
void command_quit(struct request *request);
void command_reset(struct request *request);
void command_select(struct request *request);

// cmd_client.c
void command_client_getname(struct request *request);
void command_client_id(struct request *request);
void command_client_info(struct request *request);
void command_client_list(struct request *request);
void command_client_no_evict(struct request *request);
void command_client_setinfo(struct request *request);
void command_client_setname(struct request *request);

// cmd_command.c
void command_command(struct request *request);
void command_command_count(struct request *request);
void command_command_docs(struct request *request);
void command_command_info(struct request *request);
void command_command_list(struct request *request);

// cmd_info.c
void command_info(struct request *request);

// cmd_cache.c
void command_cache_delpattern(struct request *request);
void command_cache_invalidate(struct request *request);
void command_cache_lock(struct request *request);
void command_cache_purgetag(struct request *request);
void command_cache_set(struct request *request);
void command_cache_stats(struct request *request);
void command_cache_tag(struct request *request);
void command_cache_unlock(struct request *request);
void command_cache_wait(struct request *request);

#endif
