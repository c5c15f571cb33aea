/* A dot on a line that actions push: an environment in C, for little-endian
 * machines and without any library. Headers of requests are compact JSON with
 * their fields in a fixed order, so that strstr is parser enough.
 *
 *   cc -O2 -o dot env/remote/examples/dot.c -lm
 *   orrery env check exec:./dot
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 64, CHANNELS = 3, MAX_STEPS = 50 };

static char header[65537];
static unsigned char payload[64], state[SIZE * SIZE * CHANNELS + 4];

static void take(void *to, size_t n) {
    if (fread(to, 1, n, stdin) != n) exit(0); /* the other side is gone */
}

static void ask(void) {
    struct { char magic[4]; uint32_t header, payload; } prefix;
    take(&prefix, sizeof prefix);
    if (memcmp(prefix.magic, "ORRY", 4) || prefix.header >= sizeof header || prefix.payload > sizeof payload) exit(1);
    take(header, prefix.header);
    header[prefix.header] = 0;
    take(payload, prefix.payload);
}

static int is(const char *type) { return strncmp(header + 9, type, strlen(type)) == 0; } /* after {"type":" */

static void answer(const char *text, uint32_t size) {
    uint32_t length = strlen(text);
    fwrite("ORRY", 1, 4, stdout);
    fwrite(&length, 4, 1, stdout);
    fwrite(&size, 4, 1, stdout);
    fwrite(text, 1, length, stdout);
    fwrite(state, 1, size, stdout);
    fflush(stdout);
}

static void observe(float x) { /* the image, then the vector */
    int column = fmin(SIZE - 1, (x + 1) / 2 * SIZE);
    for (int i = 0; i < SIZE * SIZE * CHANNELS; i++) state[i] = i / CHANNELS % SIZE == column ? 255 : 0;
    memcpy(state + sizeof state - 4, &x, 4);
}

int main(void) {
    float x = 0, push;
    int step = 0;
    for (;;) {
        ask();
        if (is("hello")) {
            answer("{\"type\":\"spec\",\"protocol\":1,\"name\":\"dot\",\"image\":[64,64,3],\"vector\":[\"x\"],"
                   "\"action\":{\"low\":[-1],\"high\":[1]},\"max_steps\":50}", 0);
        } else if (is("reset")) {
            uint64_t seed = strtoull(strstr(header, "\"seed\":") + 7, NULL, 10);
            seed = (seed + 1) * 0x9e3779b97f4a7c15u; /* mixes it: upper bits become x in [-1, 1) */
            x = (seed >> 40) * 0x1p-23f - 1, step = 0;
            observe(x);
            answer("{\"type\":\"state\"}", sizeof state);
        } else if (is("step")) {
            int repeat = atoi(strstr(header, "\"repeat\":") + 9), taken = 0;
            double reward = 0;
            memcpy(&push, payload, 4);
            for (; taken < repeat && step < MAX_STEPS; taken++, step++) {
                x = fmaxf(-1, fminf(1, x + 0.1f * push));
                reward += 1 - fabs(x);
            }
            char text[200];
            snprintf(text, sizeof text, "{\"type\":\"state\",\"reward\":%.17g,\"steps\":%d,\"terminated\":false,\"truncated\":%s}",
                     reward, taken, step == MAX_STEPS ? "true" : "false");
            observe(x);
            answer(text, sizeof state);
        } else {
            return 0; /* close */
        }
    }
}
