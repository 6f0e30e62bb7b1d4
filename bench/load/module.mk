# load: makes the load that bench/ measures.
LOAD_SOURCES := bench_crowd.c bench_floor.c bench_idle.c bench_lookup.c bench_net.c \
	bench_orders.c bench_pairs.c bench_room.c bench_scan.c bench_storm.c bench_users.c

$(eval $(call library,load,bench/load,$(LOAD_SOURCES),libuv))
$(eval $(call test_program,bench/load,load client common,$(CLIENT_PACKAGES)))

LOAD_TESTS := orders scan
$(foreach t,$(LOAD_TESTS),$(eval $(call unit_test,bench/load/tests/test_bench_$(t).c,load client common,$(CLIENT_PACKAGES))))
