/* The parts of the firmware that touch no hardware, on the host, for comparison
   with their Go counterparts. Each line of the input is a question, each line of
   the output its answer:

     e TYPE PAYLOAD    the frame of a message, in hex
     r BYTES           the commands in a run of bytes: "TYPE PAYLOAD ..." and the
                       number of bad frames so far
     b THRESHOLD       begin a detector of light; no answer but the end of the line
     l JOINS 12×READING  what is to be sent, as light_judge says it
     s SUM             the reading of a window's sum */
#include <stdio.h>
#include <string.h>

#include "frame.h"
#include "light.h"
#include "scale.h"

static int unhex(uint8_t *to, const char *from)
{
	int n = 0;
	unsigned b;
	for (; sscanf(from + 2 * n, "%2x", &b) == 1; n++)
		to[n] = b;
	return n;
}

static void hex(const uint8_t *p, int n)
{
	for (int i = 0; i < n; i++)
		printf("%02x", p[i]);
}

int main(void)
{
	static char line[1 << 17];
	static uint8_t in[1 << 16];
	struct receiver receiver = { 0 };
	struct light light;
	light_begin(&light, 0);
	while (fgets(line, sizeof line, stdin)) {
		unsigned long a;
		int at;
		switch (line[0]) {
		case 'e': {
			sscanf(line + 1, "%lu %n", &a, &at);
			uint8_t frame[MAX_FRAME];
			hex(frame, frame_encode(frame, a, in, unhex(in, line + 1 + at)));
			break;
		}
		case 'r': {
			int n = unhex(in, line + 2);
			for (int i = 0; i < n; i++) {
				if (!frame_receive(&receiver, in[i]))
					continue;
				printf("%02x ", receiver.body[0]);
				hex(receiver.body + 1, receiver.size);
				printf(" ");
			}
			printf("%u", receiver.bad);
			break;
		}
		case 'b':
			sscanf(line + 1, "%lu", &a);
			light_begin(&light, a);
			break;
		case 'l': {
			char *p = line + 1;
			unsigned v[1 + LIGHT_READINGS];
			for (int i = 0; i <= LIGHT_READINGS; i++, p += at)
				sscanf(p, "%u%n", &v[i], &at);
			uint16_t raw[LIGHT_READINGS];
			for (int i = 0; i < LIGHT_READINGS; i++)
				raw[i] = v[1 + i];
			printf("%u", light_judge(&light, raw, v[0]));
			break;
		}
		case 's':
			sscanf(line + 1, "%lu", &a);
			printf("%u", scale_mean(a));
			break;
		}
		printf("\n");
	}
	return 0;
}
