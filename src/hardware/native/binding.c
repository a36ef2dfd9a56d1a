/*
 * ioctl(fd, request, buffer) for Node: what the character device of GPIO chips is asked with.
 *
 * The kernel reads and writes the buffer in place. Returns what the kernel returned, or -errno;
 * throws a TypeError where an argument is none. Nothing else is done here: which bytes mean what is
 * in gpio-uapi.ts. Built on Node-API, so one build serves every version of Node.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <node_api.h>

/* Size of a request's argument: bits 16 to 29 of its number (asm-generic/ioctl.h). */
static size_t argument_size(uint32_t request) { return (request >> 16) & 0x3fff; }

static napi_value control(napi_env env, napi_callback_info info) {
  napi_value args[3];
  size_t count = 3;
  int32_t fd = -1;
  uint32_t request = 0;
  void *bytes = NULL;
  size_t length = 0;
  napi_typedarray_type type = napi_int8_array;
  bool is_array = false;

  if (napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok || count < 3 ||
      napi_get_value_int32(env, args[0], &fd) != napi_ok ||
      napi_get_value_uint32(env, args[1], &request) != napi_ok ||
      napi_is_typedarray(env, args[2], &is_array) != napi_ok || !is_array ||
      napi_get_typedarray_info(env, args[2], &type, &length, &bytes, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    napi_throw_type_error(env, NULL, "ioctl takes a descriptor, a request and a Uint8Array");
    return NULL;
  }
  /* The kernel writes as much as the request says: never past the end of what was given. */
  if (length < argument_size(request)) {
    napi_throw_type_error(env, NULL, "the buffer is shorter than what the request takes");
    return NULL;
  }

  int outcome = ioctl(fd, request, bytes);
  napi_value result = NULL;
  if (napi_create_int32(env, outcome < 0 ? -errno : outcome, &result) != napi_ok) return NULL;
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function = NULL;
  if (napi_create_function(env, "ioctl", NAPI_AUTO_LENGTH, control, NULL, &function) != napi_ok ||
      napi_set_named_property(env, exports, "ioctl", function) != napi_ok) {
    napi_throw_error(env, NULL, "the binding could not be made");
  }
  return exports;
}
