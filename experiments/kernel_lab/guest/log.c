#define _GNU_SOURCE
#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

enum { LOG_BYTES = 1 << 18, SET_CONSOLE_LEVEL = 8, EMERGENCIES_ONLY = 1 };

static char line[LOG_BYTES];
static size_t length;
static bool comma;
static int console = STDOUT_FILENO;

/* The console without the kernel's chatter, and without newlines turned into two characters. */
void open_log(void)
{
	struct termios mode;

	klogctl(SET_CONSOLE_LEVEL, NULL, EMERGENCIES_ONLY);
	console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (tcgetattr(console, &mode) == 0) {
		cfmakeraw(&mode);
		tcsetattr(console, TCSANOW, &mode);
	}
}

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	va_list arguments;
	int wanted;

	va_start(arguments, format);
	wanted = vsnprintf(line + length, sizeof(line) - length, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		length += (size_t)wanted;
	if (length >= sizeof(line))
		length = sizeof(line) - 1;
}

static void add_string(const char *text)
{
	add("\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			add("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			add("\\u%04x", *text);
		else
			add("%c", *text);
	}
	add("\"");
}

static void add_key(const char *key)
{
	if (comma)
		add(",");
	comma = true;
	if (key != NULL)
		add("\"%s\":", key);
}

static void begin(const char *key, const char *bracket)
{
	add_key(key);
	add("%s", bracket);
	comma = false;
}

static void end(const char *bracket)
{
	add("%s", bracket);
	comma = true;
}

void begin_object(const char *key)
{
	begin(key, "{");
}

void end_object(void)
{
	end("}");
}

void begin_array(const char *key)
{
	begin(key, "[");
}

void end_array(void)
{
	end("]");
}

void put_int(const char *key, int64_t value)
{
	add_key(key);
	add("%lld", (long long)value);
}

void put_seconds(const char *key, int64_t ns)
{
	add_key(key);
	add("%.3f", (double)ns / 1e9);
}

void put_text(const char *key, const char *value)
{
	add_key(key);
	add_string(value);
}

void begin_line(const char *kind)
{
	length = 0;
	comma = false;
	add("@");
	begin_object(NULL);
	put_text("kind", kind);
}

void end_line(void)
{
	end_object();
	add("\n");
	for (size_t written = 0; written < length;) {
		ssize_t now = write(console, line + written, length - written);

		if (now <= 0)
			return;
		written += (size_t)now;
	}
}

void power_off(void)
{
	tcdrain(console);
	sync();
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
}

void log_failure(const char *what)
{
	begin_line("error");
	put_text("what", what);
	end_line();
	power_off();
}
