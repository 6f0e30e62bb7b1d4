#include "tests/ledger/judge/delivery_sets.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/ledger_state.h"

enum { FIRST_BYTES = 64 * 1024 };

/* All sets lie in one buffer: those of two users take a byte or two each. */
struct delivery_sets delivery_sets_new(struct ledger *ledger,
                                       unsigned positions)
{
	struct delivery_sets sets = {
		.at = ledger->set_bytes_len,
		.bytes = (uint16_t)((positions * ledger->config.devices + 7) /
	                            8),
	};
	size_t more = (size_t)SET_COUNT * sets.bytes;

	if (ledger->set_bytes_len + more > ledger->set_bytes_capacity) {
		ledger->set_bytes_capacity =
			2 * ledger->set_bytes_capacity + FIRST_BYTES;
		ledger->set_bytes = mem_resize(ledger->set_bytes,
		                               ledger->set_bytes_capacity);
	}
	memset(&ledger->set_bytes[sets.at], 0, more);
	ledger->set_bytes_len += more;
	return sets;
}

static uint8_t *byte_at(const struct ledger *ledger,
                        const struct delivery_sets *sets, enum delivery_set set,
                        unsigned bit)
{
	return &ledger->set_bytes[sets->at + (size_t)set * sets->bytes +
	                          bit / 8];
}

bool delivery_sets_has(const struct ledger *ledger,
                       const struct delivery_sets *sets, enum delivery_set set,
                       unsigned bit)
{
	return *byte_at(ledger, sets, set, bit) >> bit % 8 & 1;
}

void delivery_sets_add(struct ledger *ledger, const struct delivery_sets *sets,
                       enum delivery_set set, unsigned bit)
{
	*byte_at(ledger, sets, set, bit) |= (uint8_t)(1u << bit % 8);
}
