/* SPDX-License-Identifier: MIT */
/* Takes out what is over. */
#pragma once
