#include "common/service/setting_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *unit, *text;
	const char *why; /* a part of the reason; NULL: it fits */
} cases[] = {
	/* Any unit. */
	{"name", "Grüße", NULL},
	{"name", "a b", NULL},
	{"name", "a\nb", "control characters"},
	{"name", "a\x7f", "control characters"},
	{"name", "a\xff", "UTF-8"},
	/* Hosts. */
	{"host", "db", NULL},
	{"host", "db-1.example.org", NULL},
	{"host", "my_redis", NULL},
	{"host", "db.example.org.", NULL},
	{"host", "10.0.0.1", NULL},
	{"host", "::1", NULL},
	{"host", "redis://db:6379/0", "not a URL"},
	{"host", "http://db", "not a URL"},
	{"host", "db:6379", "the port has a setting of its own"},
	{"host", "[::1]", "the port has a setting of its own"},
	{"host", "db 1", "host name"},
	{"host", " db", "host name"},
	{"host", "user@db", "host name"},
	{"host", "a..b", "host name"},
	{"host", "/run/redis.sock", "host name"},
	{"host", "db/0", "host name"},
	{"host or path", "/run/mysqld/mysqld.sock", NULL},
	{"host or path", "db", NULL},
	{"host or path", "db:3306", "the port has a setting of its own"},
	/* Addresses to listen on. */
	{"address", "127.0.0.1", NULL},
	{"address", "0.0.0.0", NULL},
	{"address", "::", NULL},
	{"address", "::1", NULL},
	{"address", "localhost", "IPv4 or IPv6"},
	{"address", "*", "IPv4 or IPv6"},
	{"address", "127.0.0.1:8080", "IPv4 or IPv6"},
	{"address", "[::1]", "IPv4 or IPv6"},
	{"address", "256.0.0.1", "IPv4 or IPv6"},
	/* Base URLs. */
	{"URL", "http://127.0.0.1:8081", NULL},
	{"URL", "https://id.example.org", NULL},
	{"URL", "http://proxy/identity", NULL},
	{"URL", "http://[::1]:8081", NULL},
	{"URL", "http://127.0.0.1:8081/", "slash"},
	{"URL", "http://proxy/identity/", "slash"},
	{"URL", "127.0.0.1:8081", "http://"},
	{"URL", "identity-service", "http://"},
	{"URL", "HTTP://db", "http://"},
	{"URL", "ws://db:8081", "http://"},
	{"URL", "ftp://db", "http://"},
	{"URL", "http://", "slash"},
	{"URL", "http://:8081", "HOST"},
	{"URL", "http://db:0", "HOST"},
	{"URL", "http://db:65536", "HOST"},
	{"URL", "http://db:port", "HOST"},
	{"URL", "http://db:", "HOST"},
	{"URL", "http://a b", "HOST"},
	{"URL", "http://a,b", "HOST"},
	{"URL", "http://user:pass@db", "user name"},
	{"URL", "http://db?x=1", "query"},
	{"URL", "http://db/#x", "query"},
	{"URL", "http://db/a b", "plain characters"},
	/* Brokers. */
	{"host:port,…", "127.0.0.1:9092", NULL},
	{"host:port,…", "a:9092,b:9092, c:9092", NULL},
	{"host:port,…", "a", NULL},
	{"host:port,…", "a:9092,", NULL},
	{"host:port,…", "[::1]:9092", NULL},
	{"host:port,…", "PLAINTEXT://a:9092", NULL},
	{"host:port,…", "a:9092;b:9092", "HOST:PORT"},
	{"host:port,…", "a:9092 b:9092", "HOST:PORT"},
	{"host:port,…", "a:0", "HOST:PORT"},
	{"host:port,…", "a:70000", "HOST:PORT"},
	{"host:port,…", "a:", "HOST:PORT"},
	{"host:port,…", ":9092", "HOST:PORT"},
	{"host:port,…", "a:9092,b:kafka", "HOST:PORT"},
	{"host:port,…", "[::1:9092", "HOST:PORT"},
	{"host:port,…", "[::1]9092", "HOST:PORT"},
	{"host:port,…", ",,,", "must name a broker"},
	/* Topics. */
	{"topic", "message_save", NULL},
	{"topic", "a.b-c_D9", NULL},
	{"topic", ".", "topic's name"},
	{"topic", "..", "topic's name"},
	{"topic", "a b", "topic's name"},
	{"topic", "a/b", "topic's name"},
	{"topic", "a,b", "topic's name"},
	{"topic", "Grüße", "topic's name"},
	/* Origins of browsers. */
	{"origin,…", "", NULL},
	{"origin,…", "https://chat.example", NULL},
	{"origin,…", "http://localhost:3000,https://a.example", NULL},
	{"origin,…", "https://a.example, https://b.example", NULL},
	{"origin,…", "https://Chat.Example", NULL},
	{"origin,…", "https://chat.example:8443", NULL},
	{"origin,…", "https://xn--grn-hoa.example", NULL},
	{"origin,…", "http://[::1]:3000", NULL},
	{"origin,…", "capacitor://localhost", NULL},
	{"origin,…", "chrome-extension://abcdefgh", NULL},
	{"origin,…", "file://", NULL},
	{"origin,…", "*", "leave it empty"},
	{"origin,…", "https://a.example,*", "leave it empty"},
	{"origin,…", "null", "sandboxed"},
	{"origin,…", "chat.example", "https://chat.example"},
	{"origin,…", "//chat.example", "https://chat.example"},
	{"origin,…", "localhost:3000", "https://chat.example"},
	{"origin,…", "https:chat.example", "https://chat.example"},
	{"origin,…", "https://chat.example/", "without a path"},
	{"origin,…", "https://chat.example/chat", "without a path"},
	{"origin,…", "https://*.example", "'*' stands for nothing"},
	{"origin,…", "https://chat.example:443", "own port"},
	{"origin,…", "http://chat.example:80", "own port"},
	{"origin,…", "https://chat.example:80", NULL},
	{"origin,…", "https://chat.example:0", "SCHEME://HOST"},
	{"origin,…", "https://chat.example:", "SCHEME://HOST"},
	{"origin,…", "https://", "SCHEME://HOST"},
	{"origin,…", "https://grün.example", "ASCII form"},
	{"origin,…", "https://user@chat.example", "SCHEME://HOST"},
	{"origin,…", "wss://chat.example", "origin of the page"},
	{"origin,…", "wss://chat.example/ws", "origin of the page"},
	{"origin,…", "https://a.example https://b.example", "without a path"},
	{"origin,…", "https://a.example;b.example", "SCHEME://HOST"},
};

static void a_text_of_another_form_has_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf why CLEANUP(buf_free) = BUF(256);
		bool fits = setting_form_fits(cases[i].unit,
		                              span_of(cases[i].text), &why);

		if (fits != !cases[i].why)
			fail_msg("%s '%s' %s: %s", cases[i].unit, cases[i].text,
			         fits ? "fits" : "is refused", buf_text(&why));
		if (!fits && !strstr(buf_text(&why), cases[i].why))
			fail_msg("%s '%s' %s", cases[i].unit, cases[i].text,
			         buf_text(&why));
		assert_int_equal(fits, why.len == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_of_another_form_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
