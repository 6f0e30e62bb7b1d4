/*
 * fault_point - a place at which a test may have the process killed.
 *
 * FAULT_POINT("commit.after") is nothing at all but in builds of
 * VARIANT=faults. There, a file `<program>.fault` beside the program that holds
 * just this name kills the process with SIGKILL when it passes, once: the file
 * is gone then. docs/adr/0010
 *
 * Names are STEP.before or STEP.after, the steps those of a message in
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
