/*
 * fault_point - a place in the code where a test can kill the process.
 *
 * FAULT_POINT("commit.after") is empty except in builds of VARIANT=faults.
 * There, a file `<program>.fault` next to the program that contains exactly
 * this name makes the process kill itself with SIGKILL when it passes. The
 * process deletes the file first, so it happens once. docs/adr/0010
 *
 * Names are STEP.before or STEP.after; the steps are those of a message in
 * docs/ARCHITECTURE.md.
 */
#ifndef PARLEY_SERVICE_FAULT_POINT_H
#define PARLEY_SERVICE_FAULT_POINT_H

#ifdef FAULT_POINTS
void fault_point(const char *name);
#define FAULT_POINT(name) fault_point(name)
#else
#define FAULT_POINT(name) ((void)0)
#endif

#endif
