/* SPDX-License-Identifier: MIT */
/* TCP states and timeouts. */
#pragma once
