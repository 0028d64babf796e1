/*
 * The Runtime API with as little of its own cost as can be: it starts a candidate, hands out events, and takes times.
 *
 *   runtime-api PAYLOADS COMMAND ARGUMENT...
 *
 * Both run on one CPU, as a function does that has up to 1,769 MB; so the way from one CPU to another, which depends on
 * where the kernel puts them, is not in the times.
 *
 * PAYLOADS is BYTES:WARM_UP:COUNT,... or "-" for none. Prints one JSON object:
 *   {"initMs": from spawn to the first request for work,
 *    "cycles": [{"p50Us", "p99Us": from the event's leaving to the next request for one,
 *                "cpuUs": of the process, for each invocation}]}
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { max_peers = 16, head_size = 16 << 10, max_event = 8 << 20 };

enum state { in_head, in_body, in_chunks };

/* A connection of the candidate's: what it is in the middle of. */
struct peer {
  enum state state;
  char head[head_size];
  size_t have;
  /* Bytes of the body that are still to come. */
  size_t missing;
  /* The last bytes of a chunked body so far: it ends with the empty chunk. */
  char tail[5];
};

static struct pollfd polled[max_peers + 1]; /* the first one listens */
static struct peer peers[max_peers + 1];
static int peer_count = 1;
static int asking; /* index of the connection that asked for work last; 0 is none */
static pid_t candidate;

static void fail(const char *what) {
  fprintf(stderr, "runtime-api: %s: %s\n", what, errno ? strerror(errno) : "");
  if (candidate > 0) kill(candidate, SIGKILL);
  exit(1);
}

static double now_us(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t)) fail("clock_gettime");
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* On the last of the CPUs that it may use: the first ones have more to do for the system. The candidate inherits it. */
static void stay_on_one_cpu(void) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed)) fail("sched_getaffinity");
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &allowed)) last -= 1;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  if (sched_setaffinity(0, sizeof one, &one)) fail("sched_setaffinity");
}

static void send_all(int fd, const char *data, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, data, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write");
    data += n;
    length -= n;
  }
}

static void accept_result(int fd) {
  static const char accepted[] =
      "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n";
  send_all(fd, accepted, sizeof accepted - 1);
}

/* Takes in the bytes of one connection. */
static void take(int index, const char *data, size_t length) {
  struct peer *peer = &peers[index];
  int fd = polled[index].fd;
  while (length > 0) {
    if (peer->state == in_body) {
      size_t n = length < peer->missing ? length : peer->missing;
      data += n;
      length -= n;
      peer->missing -= n;
      if (peer->missing > 0) return;
      peer->state = in_head;
      accept_result(fd);
    } else if (peer->state == in_chunks) {
      /* A client sends nothing after the last chunk before it has the answer. */
      size_t n = length < 5 ? length : 5;
      memmove(peer->tail, peer->tail + n, 5 - n);
      memcpy(peer->tail + 5 - n, data + length - n, n);
      if (memcmp(peer->tail, "0\r\n\r\n", 5)) return;
      peer->state = in_head;
      accept_result(fd);
      return;
    } else {
      size_t room = head_size - 1 - peer->have, n = length < room ? length : room;
      memcpy(peer->head + peer->have, data, n);
      peer->head[peer->have + n] = 0;
      char *end = strstr(peer->head, "\r\n\r\n");
      if (!end) {
        if (n == room) fail("a request's head is too long");
        peer->have += n;
        return;
      }
      size_t used = end + 4 - peer->head - peer->have;
      data += used;
      length -= used;
      end[2] = 0;
      peer->have = 0;
      if (!strncmp(peer->head, "GET ", 4)) {
        asking = index;
        continue;
      }
      if (strstr(peer->head, "/error ")) {
        fprintf(stderr, "runtime-api: the candidate reported an error: %.*s\n", (int)length, data);
        errno = 0;
        fail("it has to answer");
      }
      if (strcasestr(peer->head, "\r\nexpect: 100")) send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
      if (strcasestr(peer->head, "\r\ntransfer-encoding: chunked")) {
        peer->state = in_chunks;
        memset(peer->tail, 0, 5);
        continue;
      }
      char *field = strcasestr(peer->head, "\r\ncontent-length: ");
      peer->missing = field ? strtoul(field + 18, 0, 10) : 0;
      if (peer->missing > 0) peer->state = in_body;
      else accept_result(fd);
    }
  }
}

static void accept_peer(void) {
  if (peer_count > max_peers) fail("the candidate opens too many connections");
  int fd = accept(polled[0].fd, 0, 0), on = 1;
  if (fd < 0) fail("accept");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  polled[peer_count] = (struct pollfd){.fd = fd, .events = POLLIN};
  memset(&peers[peer_count], 0, sizeof peers[0]);
  peer_count += 1;
}

/* Returns when a request for work is here. */
static void wait_for_next(void) {
  static char data[256 << 10];
  for (int silent_s = 0; !asking;) {
    int ready = poll(polled, peer_count, 1000);
    if (ready < 0 && errno != EINTR) fail("poll");
    if (ready == 0) {
      errno = 0;
      if (waitpid(candidate, 0, WNOHANG) == candidate) {
        candidate = 0;
        fail("the candidate ended");
      }
      silent_s += 1;
      if (silent_s >= 60) fail("the candidate has said nothing for a minute");
    }
    if (ready <= 0) continue;
    for (int i = 1; i < peer_count; i += 1) {
      if (!polled[i].revents) continue;
      ssize_t n = read(polled[i].fd, data, sizeof data);
      if (n > 0) {
        take(i, data, n);
      } else {
        /* poll passes over what is negative. */
        close(polled[i].fd);
        polled[i].fd = -1;
        polled[i].revents = 0;
      }
    }
    if (polled[0].revents) accept_peer();
  }
}

static int compare(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

/* The event is JSON of `bytes` bytes. */
static size_t build_event(char *event, size_t bytes) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  int head = sprintf(event,
                     "HTTP/1.1 200 OK\r\n"
                     "Content-Type: application/json\r\n"
                     "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
                     "Lambda-Runtime-Deadline-Ms: %ld\r\n"
                     "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:bench\r\n"
                     "Lambda-Runtime-Trace-Id: "
                     "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\n"
                     "Content-Length: %zu\r\n\r\n{\"data\":\"",
                     (long)t.tv_sec * 1000 + 900000, bytes);
  memset(event + head, 'x', bytes - 11);
  memcpy(event + head + bytes - 11, "\"}", 2);
  return head + bytes - 9;
}

static void cycle(const char *event, size_t length, double *us) {
  int fd = polled[asking].fd;
  asking = 0;
  double start = now_us(CLOCK_MONOTONIC);
  send_all(fd, event, length);
  wait_for_next();
  if (us) *us = now_us(CLOCK_MONOTONIC) - start;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: runtime-api PAYLOADS COMMAND ARGUMENT...\n");
    return 2;
  }
  stay_on_one_cpu();
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t address_size = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, max_peers) ||
      getsockname(fd, (struct sockaddr *)&address, &address_size))
    fail("listen");
  polled[0] = (struct pollfd){.fd = fd, .events = POLLIN};
  char endpoint[32];
  snprintf(endpoint, sizeof endpoint, "127.0.0.1:%d", ntohs(address.sin_port));
  setenv("AWS_LAMBDA_RUNTIME_API", endpoint, 1);

  double start = now_us(CLOCK_MONOTONIC);
  errno = posix_spawn(&candidate, argv[2], 0, 0, argv + 2, environ);
  if (errno) fail(argv[2]);
  wait_for_next();
  printf("{\"initMs\":%.3f,\"cycles\":[", (now_us(CLOCK_MONOTONIC) - start) / 1e3);

  clockid_t cpu;
  errno = clock_getcpuclockid(candidate, &cpu);
  if (errno) fail("clock_getcpuclockid");
  const char *separator = "";
  char *event = malloc(max_event);
  for (char *spec = strtok(argv[1], ","); spec && strcmp(spec, "-"); spec = strtok(0, ",")) {
    size_t bytes;
    int warm_up, count;
    errno = 0;
    if (sscanf(spec, "%zu:%d:%d", &bytes, &warm_up, &count) != 3 || bytes < 11 || bytes > max_event - head_size ||
        warm_up < 0 || count < 1)
      fail(spec);
    size_t length = build_event(event, bytes);
    for (int n = 0; n < warm_up; n += 1) cycle(event, length, 0);
    double *us = malloc(count * sizeof *us), cpu_before = now_us(cpu);
    for (int n = 0; n < count; n += 1) cycle(event, length, &us[n]);
    double cpu_us = (now_us(cpu) - cpu_before) / count;
    qsort(us, count, sizeof *us, compare);
    printf("%s{\"p50Us\":%.2f,\"p99Us\":%.2f,\"cpuUs\":%.2f}", separator, us[count / 2],
           us[(size_t)(count * 0.99)], cpu_us);
    separator = ",";
    free(us);
  }
  printf("]}\n");
  kill(candidate, SIGKILL);
  waitpid(candidate, 0, 0);
  return 0;
}
