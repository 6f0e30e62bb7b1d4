/** packages - what mk/check.mk has installed from npm (tests/node/package.json). */
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.env.PARLEY_NODE_PACKAGES), "package.json"));

export const { chromium } = require("playwright-core");
export const axeSource = require("axe-core").source;
