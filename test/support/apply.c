/*
 * Carries out file system instructions, so that a test can make whatever a file system can hold: byte names,
 * sockets, devices, raw extended attributes, times of symbolic links.
 *
 * Input: records of NUL-terminated fields, the first of them the number of fields that follow. All paths are
 * relative to the current directory. Binary values and contents are in hexadecimal or made from a seed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static char *field[16];

static long long num(int i) { return strtoll(field[i], NULL, 10); }
static int is(const char *name) { return strcmp(field[0], name) == 0; }

/* Bytes that follow from the seed alone and do not compress into a hole. */
static void fill(char *to, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        to[i] = (char)((seed >> 56) | 1);
    }
}

static int put(int fd, long long at, size_t n, uint64_t seed)
{
    char *data = malloc(n ? n : 1);
    fill(data, n, seed);
    ssize_t done = pwrite(fd, data, n, at);
    free(data);
    return done == (ssize_t)n ? 0 : -1;
}

/* data PATH new|old SIZE OFFSET LENGTH SEED: the file becomes SIZE long, with LENGTH bytes at OFFSET, else a hole */
static int data(void)
{
    int flags = strcmp(field[2], "new") == 0 ? O_CREAT | O_EXCL : O_TRUNC;
    int fd = open(field[1], O_WRONLY | O_NOFOLLOW | flags, 0600);
    if (fd < 0) return -1;
    int bad = ftruncate(fd, num(3)) || put(fd, num(4), (size_t)num(5), (uint64_t)num(6));
    return close(fd) || bad ? -1 : 0;
}

/* text PATH TEXT: a new file with just this text */
static int text(void)
{
    int fd = open(field[1], O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0) return -1;
    size_t n = strlen(field[2]);
    int bad = write(fd, field[2], n) != (ssize_t)n;
    return close(fd) || bad ? -1 : 0;
}

static int utime_ns(void)
{
    struct timespec t[2] = {{0, UTIME_OMIT}, {num(2), num(3)}};
    return utimensat(AT_FDCWD, field[1], t, AT_SYMLINK_NOFOLLOW);
}

static int setx(void)
{
    size_t n = strlen(field[3]) / 2;
    unsigned char *value = malloc(n ? n : 1);
    for (size_t i = 0; i < n; i++) sscanf(field[3] + 2 * i, "%2hhx", &value[i]);
    int bad = lsetxattr(field[1], field[2], value, n, 0);
    free(value);
    return bad;
}

static int unsetx(void)
{
    int bad = lremovexattr(field[1], field[2]);
    return bad && errno == ENODATA ? 0 : bad;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int makenode(void)
{
    mode_t type = is("fifo") ? S_IFIFO : is("socket") ? S_IFSOCK : is("char") ? S_IFCHR : S_IFBLK;
    dev_t dev = is("char") || is("block") ? makedev(num(2), num(3)) : 0;
    return mknod(field[1], type | 0600, dev);
}

static int carry_out(void)
{
    if (is("dir")) return mkdir(field[1], 0700);
    if (is("data")) return data();
    if (is("text")) return text();
    if (is("symlink")) return symlink(field[2], field[1]);
    if (is("link")) return linkat(AT_FDCWD, field[2], AT_FDCWD, field[1], 0);
    if (is("rename")) return rename(field[1], field[2]);
    if (is("remove")) return nftw(field[1], drop, 16, FTW_DEPTH | FTW_PHYS);
    if (is("chmod")) return chmod(field[1], (mode_t)num(2));
    if (is("chown")) return lchown(field[1], (uid_t)num(2), (gid_t)num(3));
    if (is("time")) return utime_ns();
    if (is("xattr")) return setx();
    if (is("unxattr")) return unsetx();
    if (is("fifo") || is("socket") || is("char") || is("block")) return makenode();
    errno = ENOSYS;
    return -1;
}

static char *next(char **at, char *end)
{
    char *start = *at;
    char *nul = memchr(start, 0, (size_t)(end - start));
    if (!nul) exit(3);
    *at = nul + 1;
    return start;
}

int main(void)
{
    static char input[64 << 20];
    size_t size = 0;
    ssize_t got;
    while ((got = read(0, input + size, sizeof input - size)) > 0) size += (size_t)got;
    umask(0);
    char *at = input, *end = input + size;
    for (long number = 0; at < end; number++) {
        int count = atoi(next(&at, end));
        if (count < 1 || count > 16) return 3;
        for (int i = 0; i < count; i++) field[i] = next(&at, end);
        if (carry_out()) {
            fprintf(stderr, "instruction %ld, %s %s: %s\n", number, field[0], field[1], strerror(errno));
            return 1;
        }
    }
    return 0;
}
