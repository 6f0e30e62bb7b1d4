#include "common/io/websocket_handshake.h"
#include "common/base/random.h"

#include <openssl/evp.h>

enum { KEY_BYTES = 16, SHA1_BYTES = 20 };

static bool base64_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* 16 bytes are 22 letters and "==". */
bool websocket_key_valid(struct span key)
{
	if (key.len != WEBSOCKET_KEY_LEN || key.data[22] != '=' ||
	    key.data[23] != '=')
		return false;
	for (unsigned i = 0; i < 22; i++) {
		if (!base64_letter(key.data[i]))
			return false;
	}
	return true;
}

void websocket_key_make(char *ret_key)
{
	unsigned char bytes[KEY_BYTES];

	random_bytes(bytes, sizeof(bytes));
	(void)EVP_EncodeBlock((unsigned char *)ret_key, bytes, sizeof(bytes));
}

void websocket_accept_make(struct span key, char *ret_accept)
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char joined[WEBSOCKET_KEY_LEN + sizeof(magic)] = {0};
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t len = key.len < WEBSOCKET_KEY_LEN ? key.len : WEBSOCKET_KEY_LEN;

	memcpy(joined, key.data, len);
	memcpy(joined + len, magic, sizeof(magic) - 1);
	(void)EVP_Digest(joined, len + sizeof(magic) - 1, digest, NULL,
	                 EVP_sha1(), NULL);
	(void)EVP_EncodeBlock((unsigned char *)ret_accept, digest, SHA1_BYTES);
}
