/* SPDX-License-Identifier: MIT */
/* Source persistence. */
#pragma once
