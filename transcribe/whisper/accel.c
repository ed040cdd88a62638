#include "accel.h"
void vsp_register_accel(void) {}
