#include "crc.h"

/* Bit by bit: the longest frame takes 0.2 ms, and a table would take 512 bytes. */
uint16_t crc16(const uint8_t *p, uint8_t n)
{
	uint16_t crc = 0xFFFF;
	while (n--) {
		crc ^= (uint16_t)*p++ << 8;
		for (uint8_t bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? (uint16_t)(crc << 1) ^ 0x1021 : (uint16_t)(crc << 1);
	}
	return crc;
}
