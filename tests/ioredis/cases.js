// The functions of docs/cache.md on a running cachesvc: node cases.js <their file> <the socket>
const assert = require('node:assert');
const test = require('node:test');

const { createCache } = require(process.argv[2]);
const path = process.argv[3];

async function withCache(use) {
  const cache = createCache(path);
  try {
    await cache.redis.flushall();
    await use(cache);
  } finally {
    cache.close();
  }
}

test('values', () => withCache(async (cache) => {
  assert.strictEqual(await cache.getCache('a'), null);
  assert.strictEqual(await cache.setCache('a', { list: [1, 'zwei', null] }, 100), true);
  assert.deepStrictEqual(await cache.getCache('a'), { list: [1, 'zwei', null] });
  assert.strictEqual(await cache.exists('a'), true);
  const ttl = await cache.getTTL('a');
  assert.ok(ttl > 90 && ttl <= 100, `${ttl}`);
  assert.strictEqual(await cache.deleteCache('a'), true);
  assert.strictEqual(await cache.deleteCache('a'), false);
  assert.strictEqual(await cache.exists('a'), false);
  assert.strictEqual(await cache.getTTL('a'), -2);
}));

test('counters', () => withCache(async (cache) => {
  assert.strictEqual(await cache.increment('n', 1, 100), 1);
  assert.strictEqual(await cache.increment('n', 5, 1000), 6);
  assert.strictEqual(await cache.decrement('n', 2), 4);
  assert.ok((await cache.getTTL('n')) <= 100);
}));

test('several at once', () => withCache(async (cache) => {
  assert.strictEqual(await cache.multiSet({ a: 1, b: [2], c: 'three' }, 60), true);
  assert.deepStrictEqual(await cache.multiGet(['a', 'b', 'x', 'c']), [1, [2], null, 'three']);
  assert.ok((await cache.getTTL('b')) > 50);
}));

test('patterns', () => withCache(async (cache) => {
  await cache.multiSet({ 'service:1': 1, 'service:2': 2, 'vendor:1': 3 });
  assert.strictEqual(await cache.deleteCachePattern('service:*'), 2);
  assert.strictEqual(await cache.exists('vendor:1'), true);
}));

test('resources', () => withCache(async (cache) => {
  const gone = ['service:123', 'service:123:owner', 'list:services', 'query:service:name'];
  const left = ['service:1234', 'services:123', 'list:vendors', 'my:service:123'];
  await cache.multiSet(Object.fromEntries([...gone, ...left].map((key) => [key, 1])));
  assert.strictEqual(await cache.invalidateResource('service', '123'), gone.length);
  assert.deepStrictEqual((await cache.redis.keys('*')).sort(), left.sort());
}));

test('tags', () => withCache(async (cache) => {
  await cache.redis.call('CACHE.SET', 'a', '1', 'PX', 60000, 'TAGS', 2, 'red', 'blue');
  await cache.setCache('b', 2);
  assert.strictEqual(await cache.redis.call('CACHE.TAG', 'b', 'blue'), 1);
  await cache.redis.call('CACHE.PURGETAG', 'blue');
  assert.deepStrictEqual(await cache.multiGet(['a', 'b']), [null, null]);
}));

test('numbers', () => withCache(async (cache) => {
  await cache.setCache('a', 1);
  await cache.getCache('a');
  const stats = await cache.getCacheStats();
  assert.deepStrictEqual(Object.keys(stats), ['healthy', 'keys', 'memory', 'hits', 'misses',
    'hitRate', 'connections', 'uptime']);
  assert.strictEqual(stats.healthy, true);
  assert.strictEqual(stats.keys, 1);
  assert.match(stats.hitRate, /^\d+\.\d\d%$/);
}));

// Slow enough for all others to find it under way.
function slowly(cache) {
  return async () => {
    await cache.redis.incr('computed');
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { answer: 42 };
  };
}

test('50 callers of one process compute once', () => withCache(async (cache) => {
  const calls = Array.from({ length: 50 }, () => cache.cacheWrapper('k', slowly(cache), 60));
  for (const value of await Promise.all(calls)) assert.deepStrictEqual(value, { answer: 42 });
  assert.strictEqual(await cache.redis.get('computed'), '1');
  assert.strictEqual(await cache.exists('lock:k'), false);
}));

test('50 callers that know nothing of each other compute once', () => withCache(async (cache) => {
  const callers = Array.from({ length: 50 }, () => createCache(path));
  try {
    const calls = callers.map((caller) => caller.cacheWrapper('k', slowly(caller), 60));
    for (const value of await Promise.all(calls)) assert.deepStrictEqual(value, { answer: 42 });
    assert.strictEqual(await cache.redis.get('computed'), '1');
  } finally {
    for (const caller of callers) caller.close();
  }
}));

test('a computation that fails leaves it to the next', () => withCache(async (cache) => {
  const other = createCache(path);
  try {
    const failing = cache.cacheWrapper('k', async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new Error('no');
    });
    const next = other.cacheWrapper('k', async () => 'yes');
    await assert.rejects(failing, /no/);
    assert.strictEqual(await next, 'yes');
  } finally {
    other.close();
  }
}));

test('without a cache', async () => {
  const cache = createCache(`${path}.nowhere`);
  try {
    assert.strictEqual(await cache.getCache('a'), null);
    assert.strictEqual(await cache.setCache('a', 1), false);
    assert.strictEqual(await cache.deleteCachePattern('*'), 0);
    assert.strictEqual(await cache.increment('a'), null);
    assert.deepStrictEqual(await cache.multiGet(['a', 'b']), [null, null]);
    assert.strictEqual(await cache.cacheWrapper('a', async () => 7), 7);
    assert.deepStrictEqual(await cache.getCacheStats(), { healthy: false });
  } finally {
    cache.close();
  }
});
