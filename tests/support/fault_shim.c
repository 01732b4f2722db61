/*
 * Faults below Python: a library for LD_PRELOAD that makes one chosen call fail or kills the process there.
 *
 * vv_fault_arm(nth, error, half): from now on the nth call that changes a file or makes a change durable
 * fails with `error`; with error 0 the process is killed instead. With `half` a write first writes half of
 * its bytes. `repeat` makes every later call fail too. Other calls go through. vv_fault_count() tells how
 * many calls were seen since then.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long chosen, seen;
static int fault, is_half, is_repeated, is_armed;

void vv_fault_arm(long nth, int error, int half, int repeat) {
    chosen = nth;
    fault = error;
    is_half = half;
    is_repeated = repeat;
    seen = 0;
    is_armed = 1;
}

void vv_fault_disarm(void) { is_armed = 0; }

long vv_fault_count(void) { return seen; }

static int strikes(void) {
    if (!is_armed) return 0;
    seen++;
    return seen == chosen || (is_repeated && seen > chosen);
}

static int strike(void) {
    if (fault == 0) kill(getpid(), SIGKILL);
    errno = fault;
    return -1;
}

#define NEXT(name) static __typeof__(name) *next; if (!next) next = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    NEXT(write);
    if (fd > 2 && strikes()) {
        if (is_half && size > 1) {
            ssize_t done = next(fd, data, size / 2);
            if (fault != 0) return done;
        }
        return strike();
    }
    return next(fd, data, size);
}

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *data, size_t size, offset_type at) { \
        NEXT(name); \
        if (strikes()) { \
            if (is_half && size > 1) { \
                ssize_t done = next(fd, data, size / 2, at); \
                if (fault != 0) return done; \
            } \
            return strike(); \
        } \
        return next(fd, data, size, at); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define FAIL_IF_CHOSEN() if (strikes()) return strike()

int fsync(int fd) { NEXT(fsync); FAIL_IF_CHOSEN(); return next(fd); }
int fdatasync(int fd) { NEXT(fdatasync); FAIL_IF_CHOSEN(); return next(fd); }
int ftruncate(int fd, off_t size) { NEXT(ftruncate); FAIL_IF_CHOSEN(); return next(fd, size); }
int ftruncate64(int fd, off64_t size) { NEXT(ftruncate64); FAIL_IF_CHOSEN(); return next(fd, size); }
int rename(const char *a, const char *b) { NEXT(rename); FAIL_IF_CHOSEN(); return next(a, b); }
int link(const char *a, const char *b) { NEXT(link); FAIL_IF_CHOSEN(); return next(a, b); }
int unlink(const char *path) { NEXT(unlink); FAIL_IF_CHOSEN(); return next(path); }
int mkdir(const char *path, mode_t mode) { NEXT(mkdir); FAIL_IF_CHOSEN(); return next(path, mode); }
int renameat(int a, const char *b, int c, const char *d) {
    NEXT(renameat);
    FAIL_IF_CHOSEN();
    return next(a, b, c, d);
}
int unlinkat(int fd, const char *path, int flags) {
    NEXT(unlinkat);
    FAIL_IF_CHOSEN();
    return next(fd, path, flags);
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        NEXT(name); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
            if ((flags & O_CREAT) && strikes()) return strike(); \
        } \
        return next(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
