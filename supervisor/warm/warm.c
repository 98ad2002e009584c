// A few transfers of libcurl at a time; each takes the next URL when its own is decided.
//
// Every request goes to the gateway, whatever host its URL names: the host is part of the key under
// which the answer is stored. Redirects are answers like others, and no proxy stands in between.

#include "warm.h"

#include <curl/curl.h>
#include <stdbool.h>

enum { AT_ONCE = 4, CONNECT_MS = 5000, ANSWER_MS = 60000, POLL_MS = 1000 };

struct transfer {
    CURL *easy;
    const char *url;
    unsigned asked; // how often before
    char error[CURL_ERROR_SIZE];
};

struct warming {
    const struct warm_work *work;
    size_t next; // the first URL that nobody has taken
    size_t active;
    CURLM *multi;
    struct curl_slist *connect_to;
    struct transfer transfers[AT_ONCE];
};

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static int open_transfer(struct warming *warming, struct transfer *transfer)
{
    CURL *easy = transfer->easy = curl_easy_init();
    if (!easy)
        return -1;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, warming->connect_to);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "gwctl/" GWCTL_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    return 0;
}

static int open_warming(struct warming *warming)
{
    warming->multi = curl_multi_init();
    warming->connect_to = curl_slist_append(NULL, warming->work->connect_to);
    if (!warming->multi || !warming->connect_to)
        return -1;
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (open_transfer(warming, &warming->transfers[i]) == -1)
            return -1;
    }
    return 0;
}

static void close_warming(struct warming *warming)
{
    for (size_t i = 0; i < AT_ONCE; i++)
        curl_easy_cleanup(warming->transfers[i].easy);
    curl_slist_free_all(warming->connect_to);
    curl_multi_cleanup(warming->multi);
}

static void request(struct warming *warming, struct transfer *transfer)
{
    transfer->error[0] = '\0';
    curl_easy_setopt(transfer->easy, CURLOPT_URL, transfer->url);
    curl_multi_add_handle(warming->multi, transfer->easy);
}

static void take_next(struct warming *warming, struct transfer *transfer)
{
    if (warming->next == warming->work->count) {
        warming->active--;
        return;
    }
    transfer->url = warming->work->urls[warming->next++];
    transfer->asked = 0;
    request(warming, transfer);
}

static const char *field(CURL *easy, const char *name)
{
    struct curl_header *header;
    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                   : NULL;
}

static enum warm_verdict judge(const struct transfer *transfer, CURLcode code, struct buf *reason)
{
    long status = 0;
    if (code != CURLE_OK) {
        buf_append_text(reason, *transfer->error ? transfer->error : curl_easy_strerror(code));
        return WARM_FAILED;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    struct warm_answer answer = {.status = (int)status,
                                 .x_cache = field(transfer->easy, "X-Cache"),
                                 .cache_control = field(transfer->easy, "Cache-Control"),
                                 .vary = field(transfer->easy, "Vary"),
                                 .sets_cookie = field(transfer->easy, "Set-Cookie") != NULL};
    return warm_judge(&answer, transfer->asked, reason);
}

static void finish(struct warming *warming, struct transfer *transfer, CURLcode code)
{
    struct buf reason = BUF_INIT;
    enum warm_verdict verdict = judge(transfer, code, &reason);
    curl_multi_remove_handle(warming->multi, transfer->easy);
    if (verdict == WARM_ASK_AGAIN) {
        transfer->asked++;
        request(warming, transfer);
    } else {
        warming->work->on_result(warming->work->context, transfer->url, verdict, buf_text(&reason));
        take_next(warming, transfer);
    }
    buf_free(&reason);
}

static int transfer_all(struct warming *warming, struct err *err)
{
    int running, queued;
    warming->active = AT_ONCE;
    for (size_t i = 0; i < AT_ONCE; i++)
        take_next(warming, &warming->transfers[i]);
    while (warming->active > 0) {
        CURLMcode code = curl_multi_perform(warming->multi, &running);
        for (CURLMsg *message; (message = curl_multi_info_read(warming->multi, &queued));) {
            struct transfer *transfer;
            CURLcode result = message->data.result; // the message goes with its handle
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
            finish(warming, transfer, result);
        }
        if (code == CURLM_OK && warming->active > 0)
            code = curl_multi_poll(warming->multi, NULL, 0, POLL_MS, NULL);
        if (code != CURLM_OK)
            return err_set(err, "%s", curl_multi_strerror(code));
    }
    return 0;
}

int warm_run(const struct warm_work *work, struct err *err)
{
    struct warming warming = {.work = work};
    int result = open_warming(&warming) == 0 ? transfer_all(&warming, err)
                                             : err_set(err, "libcurl: out of memory");
    close_warming(&warming);
    return result;
}
