/*
 * replay FILE... - runs a fuzz harness on each file, without libFuzzer.
 *
 * Linked with a harness instead of libFuzzer's main(). Each input has a block
 * of its own of exactly its size, so that AddressSanitizer sees a read beyond
 * it. The name is printed before the input runs: the last one named is the one
 * that failed.
 */
#include "tests/fuzz/fuzz.h"

#include <sys/stat.h>

static int replay(const char *path)
{
	struct stat about;
	FILE *file = fopen(path, "rb");
	if (!file || fstat(fileno(file), &about) != 0) {
		perror(path);
		return 1;
	}

	size_t size = (size_t)about.st_size;
	uint8_t *data = malloc(size ? size : 1);
	must(data && fread(data, 1, size, file) == size);
	(void)fclose(file);

	(void)printf("%s\n", path);
	(void)fflush(stdout);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int at = 1; at < argc; at++)
		failed += replay(argv[at]);
	return failed ? 1 : 0;
}
