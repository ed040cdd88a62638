#ifndef VESPER_ACCEL_H
#define VESPER_ACCEL_H
#ifdef __cplusplus
extern "C" {
#endif
void vsp_register_accel(void);
#ifdef __cplusplus
}
#endif
#endif
