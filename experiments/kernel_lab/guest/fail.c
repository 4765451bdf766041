#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void tell(const char *what)
{
	fprintf(stderr, "%s\n", what);
}

void (*at_failure)(const char *what) = tell;

_Noreturn void fail(const char *format, ...)
{
	char what[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	at_failure(what);
	exit(1);
}
