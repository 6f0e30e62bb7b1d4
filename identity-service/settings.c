#include "identity-service/settings.h"
#include "common/base/scope.h"

static const struct setting rows[] = {
#define SETTING(...) SETTING_ROW(struct identity_settings, __VA_ARGS__)
#include "identity-service/settings.def"
#undef SETTING
};

const struct settings_table identity_settings_table = {rows, ARRAY_LEN(rows)};
