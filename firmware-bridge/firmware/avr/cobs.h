#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Consistent Overhead Byte Stuffing for blocks of fewer than 254 bytes, which it
   makes one byte longer. Cheshire and Baker, IEEE/ACM Transactions on
   Networking 7(2), 1999. */

/* cobs_encode writes n bytes of src to dst, which has room for n + 1, without a
   delimiter. It returns n + 1. */
uint8_t cobs_encode(uint8_t *dst, const uint8_t *src, uint8_t n);

/* cobs_decode decodes n bytes in place. It returns false when they are no valid
   encoding, otherwise the number of decoded bytes in *out. */
bool cobs_decode(uint8_t *p, uint8_t n, uint8_t *out);
