import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "../../test/fuzz.js";
import { dataFolder, serving } from "../../test/serving.js";

test("hundreds of requests made from the document are answered as it says, and none breaks anything", async () => {
  const { url, logged } = await serving({ music: [dataFolder()], limits: { waitingOfOne: 4, waiting: 4 } });
  const seen = await fuzz(url, { count: 300, seed: 1, together: 8 });
  for (const status of [200, 201, 204, 400, 404, 405, 422])
    assert.ok(seen[status]! > 0, `${status}: ${JSON.stringify(seen)}`);
  assert.deepEqual(
    logged.filter((line) => !/^generation \w+ failed/.test(line)),
    [],
  );
});
