"""Triangle rasteriser: a visibility buffer first, shading of the visible points after it. Compiled by numba."""
import math

import numpy as np
from numba import njit

# Wrap lighting (red, green, blue) and specular strength, exponent and rim, for each material of look.py.
WRAP = np.float32([[0.42, 0.24, 0.18], [0.2, 0.2, 0.2], [0.15, 0.15, 0.15], [0.1, 0.1, 0.1], [0.2, 0.18, 0.16]])
SPECULAR = np.float32([[0.10, 18, 0.10], [0.5, 60, 0.0], [0.01, 6, 0.06], [0.01, 6, 0.03], [0.10, 14, 0.05]])


@njit(cache=True, fastmath=True)
def raster(sx, sy, nearness, cover, faces, width, height, depth, triangle, bary1, bary2):
    """Nearest triangle of every pixel, with two barycentric coordinates.

    nearness: bigger is nearer, not above 0 is behind the camera. cover below 0 is cut away (edges of clothes, hair).
    """
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        if nearness[a] <= 0 or nearness[b] <= 0 or nearness[c] <= 0:
            continue
        x0, y0, x1, y1, x2, y2 = sx[a], sy[a], sx[b], sy[b], sx[c], sy[c]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-9:
            continue
        left = max(0, int(math.floor(min(x0, x1, x2))))
        right = min(width - 1, int(math.ceil(max(x0, x1, x2))))
        top = max(0, int(math.floor(min(y0, y1, y2))))
        bottom = min(height - 1, int(math.ceil(max(y0, y1, y2))))
        inverse = 1 / area
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x + 0.5, y + 0.5
                u = ((px - x0) * (y2 - y0) - (x2 - x0) * (py - y0)) * inverse
                v = ((x1 - x0) * (py - y0) - (px - x0) * (y1 - y0)) * inverse
                if u < 0 or v < 0 or u + v > 1:
                    continue
                q = 1 - u - v
                z = q * nearness[a] + u * nearness[b] + v * nearness[c]
                if z > depth[y, x]:
                    if q * cover[a] + u * cover[b] + v * cover[c] < 0:
                        continue
                    depth[y, x] = z
                    triangle[y, x] = t
                    bary1[y, x] = u
                    bary2[y, x] = v


@njit(cache=True, fastmath=True)
def normals(points, faces, out):
    """Vertex normals, weighted by area, into out [n, 3]."""
    out[:] = 0
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in range(3):
            i = faces[t, k]
            out[i, 0] += nx
            out[i, 1] += ny
            out[i, 2] += nz
    for i in range(out.shape[0]):
        length = math.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + 1e-12
        out[i, 0] /= length
        out[i, 1] /= length
        out[i, 2] /= length


@njit(cache=True, fastmath=True)
def shade(tb, b1, b2, ao, F, FT, mat, P, N, UV, tex, cam, L, lc, fillc, amb_up, amb_dn, sm, SMm, sms, wrap, spec, out, alpha):
    """Colours of the visible points, linear RGB into out, and their coverage into alpha.

    Visibility buffer (tb, b1, b2), ambient occlusion ao at a quarter of the size, faces F and their uv FT, materials,
    world positions P and normals N, texture; camera cam; key light L of colour lc with the shadow map sm (world to
    light SMm, scale and shift sms); fill light fillc from the screen, ambient light from above and below.
    """
    h, w = tb.shape
    th, tw = tex.shape[0], tex.shape[1]
    n = sm.shape[0]
    for y in range(h):
        for x in range(w):
            t = tb[y, x]
            if t < 0:
                continue
            a, b, c = F[t, 0], F[t, 1], F[t, 2]
            u, v = b1[y, x], b2[y, x]
            q = 1 - u - v
            px = q * P[a, 0] + u * P[b, 0] + v * P[c, 0]
            py = q * P[a, 1] + u * P[b, 1] + v * P[c, 1]
            pz = q * P[a, 2] + u * P[b, 2] + v * P[c, 2]
            nx = q * N[a, 0] + u * N[b, 0] + v * N[c, 0]
            ny = q * N[a, 1] + u * N[b, 1] + v * N[c, 1]
            nz = q * N[a, 2] + u * N[b, 2] + v * N[c, 2]
            l = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx /= l
            ny /= l
            nz /= l
            vx, vy, vz = cam[0] - px, cam[1] - py, cam[2] - pz
            l = math.sqrt(vx * vx + vy * vy + vz * vz)
            vx /= l
            vy /= l
            vz /= l
            nv = nx * vx + ny * vy + nz * vz
            if nv < 0:
                nx, ny, nz, nv = -nx, -ny, -nz, -nv
            m = mat[t]
            # Texture, bilinear.
            tu = (q * UV[FT[t, 0], 0] + u * UV[FT[t, 1], 0] + v * UV[FT[t, 2], 0]) * tw - 0.5
            tv = (1 - (q * UV[FT[t, 0], 1] + u * UV[FT[t, 1], 1] + v * UV[FT[t, 2], 1])) * th - 0.5
            i0 = min(max(int(tu), 0), tw - 2)
            j0 = min(max(int(tv), 0), th - 2)
            fu = min(max(tu - i0, 0.0), 1.0)
            fv = min(max(tv - j0, 0.0), 1.0)
            # Shadow: 3 x 3 percentage-closer filter.
            lx = SMm[0, 0] * px + SMm[0, 1] * py + SMm[0, 2] * pz
            ly = SMm[1, 0] * px + SMm[1, 1] * py + SMm[1, 2] * pz
            lz = SMm[2, 0] * px + SMm[2, 1] * py + SMm[2, 2] * pz
            cx = lx * sms[0] + sms[1]
            cy = ly * sms[0] + sms[2]
            s = 0.0
            for dj in range(-1, 2):
                for di in range(-1, 2):
                    ii = int(cx + di * 1.5)
                    jj = int(cy + dj * 1.5)
                    if ii < 0 or jj < 0 or ii >= n or jj >= n or sm[jj, ii] < lz + 10.0 + 0.022:
                        s += 1.0
            s /= 9.0
            nl = nx * L[0] + ny * L[1] + nz * L[2]
            hx, hy, hz = L[0] + vx, L[1] + vy, L[2] + vz
            l = math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
            sp = max(0.0, (nx * hx + ny * hy + nz * hz) / l) ** spec[m, 1] * spec[m, 0] * s * max(0.0, nl)
            rim = (1 - nv) ** 4 * spec[m, 2]
            k = 0.5 + 0.5 * ny
            A = ao[y >> 2, x >> 2]
            for ch in range(3):
                upper = tex[j0, i0, ch] * (1 - fu) + tex[j0, i0 + 1, ch] * fu
                lower = tex[j0 + 1, i0, ch] * (1 - fu) + tex[j0 + 1, i0 + 1, ch] * fu
                al = upper * (1 - fv) + lower * fv
                wr = wrap[m, ch]
                d = max(0.0, (nl + wr) / (1 + wr))
                sh = s + (1 - s) * wr * 0.25
                ambient = A * (amb_up[ch] * k + amb_dn[ch] * (1 - k))
                out[y, x, ch] = al * (lc[ch] * d * sh + fillc[ch] * max(0.0, nv) + ambient) + lc[ch] * (sp + rim * 0.3)
            alpha[y, x] = 1.0
