// Versions of what outlives a process, or is shared by several: memory pages and the snapshot.
//
// Programs of two versions of gwctl meet there while one replaces the other. Whoever finds another
// number than its own leaves that memory alone. Raise a number whenever its layout changes.
#ifndef GW_COMMON_LAYOUT_H
#define GW_COMMON_LAYOUT_H

// Tests build programs that are one version on (tests/CMakeLists.txt).
#ifdef GW_TEST_NEXT_VERSION
#define LAYOUT_VERSION(number) ((number) + 1)
#else
#define LAYOUT_VERSION(number) (number)
#endif

#endif
