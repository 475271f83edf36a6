// smarts3 has no command of its own.

import { Smarts3 } from "@push.rocks/smarts3";

await new Smarts3({ port: Number(process.argv[2]), cleanSlate: true }).start();
