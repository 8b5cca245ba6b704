/* SPDX-License-Identifier: GPL-2.0 */
#define X86_FEATURE_ABM		1
#define X86_FEATURE_BMI2	1
