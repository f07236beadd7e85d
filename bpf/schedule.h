/* SPDX-License-Identifier: MIT */
/* Schedulers that count. */
#pragma once
